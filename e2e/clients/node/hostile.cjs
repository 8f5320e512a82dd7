// `node hostile.cjs EMULATOR CHARGE SESSION`: a page of another site, in a browser that can reach the
// emulator at EMULATOR, tries to refund CHARGE, to pay SESSION, to advance the clock, and to read data.
// Prints `STATUS METHOD PATH` for each answered request, and a last line with everything that the page could
// read. NODE_PATH is where playwright-core is installed.
'use strict';

const http = require('node:http');
const { Browser } = require('./scenario/page.cjs');

const KEY = 'sk_test_emulator';
const FORM = 'application/x-www-form-urlencoded';
// A host name of the attacker that resolves to this machine.
const STRANGER = 'evil.test';

// Runs in the page: submits a form.
function submit([action, method, fields, enctype]) {
  const form = document.createElement('form');
  Object.assign(form, { action, method, enctype });
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

// Runs in the page: adds an element that loads a URL, and waits until that succeeds or fails.
function load([tag, url]) {
  const element = document.createElement(tag);
  const ended = new Promise((resolve) => {
    element.onload = resolve;
    element.onerror = resolve;
  });
  element.src = url;
  document.body.append(element);
  return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 2_000))]).then(() => '');
}

// Runs in the page: sends a request, and returns what the page could read.
async function ask([url, options]) {
  try {
    return await (await fetch(url, options)).text();
  } catch {
    return '';
  }
}

// All kinds of requests that a page of another origin can send.
function attacks(emulator, charge, session) {
  const withKey = emulator.replace('://', `://${KEY}:@`);
  const text = (body) => ({ method: 'POST', mode: 'no-cors', credentials: 'include', body });
  const form = (body) => ({ ...text(body), headers: { 'content-type': FORM } });
  const plain = 'text/plain';
  return [
    [submit, [`${withKey}/v1/refunds`, 'POST', { charge }, FORM]],
    [submit, [`${emulator}/_control/charges/${charge}/refund`, 'POST', { part: 'all' }, FORM]],
    [submit, [`${emulator}/c/pay/${session}`, 'POST', { card: '4242424242424242' }, FORM]],
    [submit, [`${emulator}/_emulator/charges/${charge}/dispute`, 'POST', { '{"reason":"': '"}' }, plain]],
    [submit, [`${withKey}/v1/charges`, 'GET', {}, FORM]],
    // The browser may remember the key from the forms above.
    [ask, [`${emulator}/v1/refunds`, form(`charge=${charge}`)]],
    [ask, [`${emulator}/_emulator/advance`, text('{"seconds":86400}')]],
    [ask, [`${emulator}/_control/advance`, form('seconds=86400')]],
    [ask, [`${emulator}/v1/refunds`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': FORM },
      body: `charge=${charge}`,
    }]],
    [ask, [`${emulator}/_emulator/state`, {}]],
    [load, ['img', `${emulator}/v1/charges/${charge}`]],
    [load, ['script', `${emulator}/_control/copy.js`]],
    [load, ['iframe', `${emulator}/`]],
  ];
}

// Requests of a page whose host name resolves to this machine (DNS rebinding): same origin for the browser.
function rebound(charge, session) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': FORM };
  return [
    [ask, [`/v1/charges/${charge}`, { headers }]],
    [ask, ['/v1/refunds', { method: 'POST', headers, body: `charge=${charge}` }]],
    [ask, ['/_emulator/state', {}]],
    [ask, ['/_emulator/advance', { method: 'POST', body: '{"seconds":86400}' }]],
    [ask, ['/', {}]],
    [submit, [`/c/pay/${session}`, 'POST', { card: '4242424242424242' }, FORM]],
    [submit, ['/_control/advance', 'POST', { seconds: '86400' }, FORM]],
  ];
}

async function main([emulator, charge, session]) {
  const { port } = new URL(emulator);
  const own = http.createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end('<!doctype html><title>Win a prize</title>');
  });
  await new Promise((resolve) => own.listen(0, '127.0.0.1', resolve));
  const browser = await Browser.launch([`--host-resolver-rules=MAP ${STRANGER} 127.0.0.1`]);
  const page = await browser.open('about:blank');
  const [seen, read] = [[], []];
  page.on('response', (response) => {
    const { port: from, pathname } = new URL(response.url());
    if (from !== port || pathname === '/v1/prize') return;
    seen.push(`${response.status()} ${response.request().method()} ${pathname}`);
  });
  const run = async (site, [attack, words]) => {
    await page.goto(site);
    const left = attack === submit && page.waitForURL((now) => now.href !== site);
    read.push(await page.evaluate(attack, words));
    await left;
  };
  try {
    // One page of the emulator's own site (any port of this machine), and one of another site.
    for (const name of ['127.0.0.1', STRANGER]) {
      const site = `http://${name}:${own.address().port}/`;
      for (const attack of attacks(emulator, charge, session)) await run(site, attack);
    }
    // For the browser, the answer belongs to the attacker's origin, so the attacker's scripts run in it.
    const site = `http://${STRANGER}:${port}/v1/prize`;
    for (const attack of rebound(charge, session)) await run(site, attack);
  } finally {
    await browser.close();
    own.closeAllConnections();
    own.close();
  }
  process.stdout.write(`${seen.join('\n')}\nread: ${JSON.stringify(read.filter(Boolean).join(' '))}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
