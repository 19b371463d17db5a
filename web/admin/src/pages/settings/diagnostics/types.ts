/* What the API says of a test of an upstream. */
export type TestKind = 'simple' | 'image' | 'tools';

export interface UpstreamTest {
  kind: TestKind;
  url: string;
  ok: boolean;
  duration_ms: number;
  model_route: string | null;
  upstream_model: string | null;
  status_code?: number;
  content_type?: string;
  body?: string;
  error?: string;
}

export const KINDS: [TestKind, string][] = [
  ['simple', 'Simple message'], ['image', 'Image message'], ['tools', 'Function call'],
];
export const kindName = (kind: TestKind) => KINDS.find(([name]) => name === kind)![1];
