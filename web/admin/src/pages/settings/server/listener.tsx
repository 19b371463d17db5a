/* Where the program listens after its next start. */
import { send } from '../../../api';
import { confirmed } from '../../../ui/dialog';
import { CheckField, Form, TextField, useForm } from '../../../ui/form';
import { reloadSummary } from '../summary';
import type { Summary } from '../types';

const portProblem = (port: string) =>
  /^\d{1,5}$/.test(port.trim()) && Number(port) >= 1 && Number(port) <= 65535
    ? undefined : 'The port must be between 1 and 65535.';

const mayExpose = () => confirmed({
  title: 'Expose the proxy on the network?',
  text: 'From the next start on, every machine that can reach this one can send requests with your keys and '
    + 'read what was captured: nobody is asked for a password. Do this only in a network you trust, or put a '
    + 'reverse proxy in front that asks for a token.',
  verb: 'Expose it',
  danger: true,
});

export function ListenerCard({ facts }: { facts: Summary }) {
  const { listener } = facts;
  const { bound } = listener;
  const form = useForm({ port: String(listener.port), expose_all_ips: listener.expose_all_ips }, {
    name: 'Incoming server',
    fields: [[/port/i, 'port']],
    check: (v) => ({ port: portProblem(v.port) }),
    async save(v) {
      if (v.expose_all_ips && !listener.expose_all_ips && !(await mayExpose())) throw new Error('Not saved.');
      await send('POST', '/admin/api/settings/listener', { port: Number(v.port), expose_all_ips: v.expose_all_ips });
      await reloadSummary();
    },
  });
  const differs = bound.host !== listener.host || bound.port !== listener.port;
  return (
    <section class="card">
      <header>
        <h2>Incoming Server</h2>
        <span class="right">
          <span class="pill ok">Running on {bound.host}:{bound.port}</span>
          {differs && <span class="pill warn">Saved for next start: {listener.host}:{listener.port}</span>}
        </span>
      </header>
      <Form form={form} verb="Save listener settings">
        <TextField form={form} name="port" label="Incoming port" numeric required />
        <CheckField form={form} name="expose_all_ips" label="Expose on LAN / all interfaces" />
        {form.values.expose_all_ips && (
          <p class="strip warn">Every machine that can reach this one can use the proxy and read what it has captured.</p>
        )}
        <small>
          This applies at the next start.
          {listener.overridden_by && ` The running program was told otherwise (${listener.overridden_by}), and that wins as long as it is.`}
        </small>
      </Form>
    </section>
  );
}
