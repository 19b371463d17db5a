export function Server() {
  return <section class="card"><h2>Server</h2></section>;
}
