export function Pricing() {
  return <section class="card"><h2>Pricing</h2></section>;
}
