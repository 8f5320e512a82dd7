// `node visit.cjs EMULATOR CHECKOUT link|form CARD`: a customer comes from a shop on another port, through a
// link or through a form that redirects, and pays; then a person clicks the first "refund half" button on the
// control page. NODE_PATH is where playwright-core is installed.
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { Browser, payWithMouse } = require('./scenario/page.cjs');

function shop(checkout) {
  return http.createServer((request, answer) => {
    if (request.method === 'POST') {
      answer.writeHead(303, { location: checkout });
      answer.end();
      return;
    }
    answer.setHeader('content-type', 'text/html');
    answer.end(`<!doctype html><a href="${checkout}">link</a>
      <form method="post" action="/buy"><button>form</button></form>`);
  });
}

async function main([emulator, checkout, way, card]) {
  const server = shop(checkout);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await Browser.launch();
  try {
    const page = await browser.open(`http://localhost:${server.address().port}/`);
    await page.getByText(way, { exact: true }).click();
    await payWithMouse(page, card);
    const { pathname } = new URL(checkout);
    await page.waitForURL((now) => now.pathname !== pathname);

    await page.goto(`${emulator}/`);
    const pressed = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: /half/i }).first().click();
    assert.equal((await pressed).status(), 303);
  } finally {
    await browser.close();
    server.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
