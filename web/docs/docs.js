/* Shows one of the two documents: /api/docs, /api/docs?document=admin. */
const admin = new URLSearchParams(location.search).get('document') === 'admin';

document.querySelectorAll('nav a')[admin ? 1 : 0].setAttribute('aria-current', 'page');
SwaggerUIBundle({
  url: admin ? '/admin/api/openapi.json' : '/api/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
