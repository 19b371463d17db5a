/* What the server wrote into the page. */
export interface Boot {
  version: string;
  poll_interval_ms: number;
  listener: string;
  upstream_url: string;
  exposed: boolean;
}

const element = document.getElementById('boot')!;
export const boot = JSON.parse(element.textContent!) as Boot;
export const assetsVersion = element.dataset.assets ?? '';
