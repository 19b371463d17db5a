export function Diagnostics() {
  return <section class="card"><h2>Diagnostics</h2></section>;
}
