import { render } from 'preact';
import { App } from './app';
import { startLive } from './live';
import { startRouter } from './router';

startRouter();
startLive();
render(<App />, document.getElementById('app')!);
