export function Routing() {
  return <section class="card"><h2>Routing</h2></section>;
}
