// Signs and verifies with the official Stripe and Standard Webhooks libraries for Node. Reads JSON requests
// from standard input, one per line, and writes answers. Bytes are in hexadecimal. NODE_PATH is where they
// are installed.
'use strict';

const readline = require('node:readline');
const { Webhook } = require('standardwebhooks');
const Stripe = require('stripe');

const webhooks = Stripe.webhooks;
const bytes = (hexadecimal) => Buffer.from(hexadecimal, 'hex');
// Node's own HTTP server reads header values as Latin-1.
const header = (request) => bytes(request.header).toString('latin1');

const verbs = {
  sign: ({ body, secret, now }) =>
    webhooks.generateTestHeaderString({ payload: bytes(body).toString('utf8'), secret, timestamp: now }),

  construct: (request) =>
    webhooks.constructEvent(
      bytes(request.body), header(request), request.secret, request.tolerance, undefined, request.now * 1000,
    ).id,

  verify: (request) =>
    webhooks.signature.verifyHeader(
      bytes(request.body), header(request), request.secret, request.tolerance, undefined, request.now * 1000,
    ),

  verify_notice: ({ body, headers, secret }) => new Webhook(secret).verify(bytes(body), headers),

  sign_notice: ({ body, headers, secret }) =>
    new Webhook(secret).sign(
      headers['webhook-id'], new Date(Number(headers['webhook-timestamp']) * 1000), bytes(body),
    ),
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { done: verbs[request.verb](request) };
  } catch (error) {
    answer = { refused: `${error.constructor.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
