/* What is typed and not saved: leaving it asks. */
import { leaving, place } from '../router';
import { confirmed } from './dialog';

interface Unsaved {
  name: string;
  within?: string | undefined; /* a parameter of the address; another value of it is another form */
}
const forms = new Map<string, Unsaved>();

const stays = (form: Unsaved, to: URL) =>
  to.pathname === place.value.pathname &&
  (!form.within || to.searchParams.get(form.within) === place.value.searchParams.get(form.within));

async function ask(to: URL): Promise<boolean> {
  const lost = [...forms].filter(([, form]) => !stays(form, to));
  if (!lost.length) return true;
  const yes = await confirmed({
    title: 'Leave without saving?',
    text: `What you changed in “${lost.map(([, form]) => form.name).join('”, “')}” is not saved.`,
    verb: 'Leave without saving',
    danger: true,
  });
  if (yes) for (const [id] of lost) forget(id);
  return yes;
}

function update() {
  leaving.ask = forms.size ? ask : null;
}

export function remember(id: string, form: Unsaved) {
  forms.set(id, form);
  update();
}

export function forget(id: string) {
  forms.delete(id);
  update();
}

addEventListener('beforeunload', (event) => {
  if (forms.size) event.preventDefault();
});
