export function Providers() {
  return <section class="card"><h2>Providers</h2></section>;
}
