/* Text for a machine, with a button that copies it; long lines scroll inside. */
import { Copy } from './copy';

export function Code({ label, text }: { label: string; text: string }) {
  return (
    <figure class="code">
      <figcaption>{label} <Copy label={`Copy ${label}`} text={text} icon /></figcaption>
      <pre tabIndex={0} aria-label={label} dir="auto">{text}</pre>
    </figure>
  );
}
