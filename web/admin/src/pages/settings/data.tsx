export function Data() {
  return <section class="card"><h2>Data</h2></section>;
}
