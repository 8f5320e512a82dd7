// Shared by all steps of the scenario: the official SDK, the shop that receives webhooks, the browser, and
// the emulator's control API, which advances the clock.
'use strict';

const assert = require('node:assert/strict');
const Stripe = require('stripe');
const { Browser } = require('./page.cjs');
const { Receiver } = require('./receiver.cjs');

const DAY = 86_400;

class Stage {
  static async open() {
    const stage = new Stage();
    stage.base = new URL(process.env.STRIPE_API_BASE);
    stage.stripe = stage.client(process.env.STRIPE_SECRET_KEY);
    stage.receiver = await new Receiver().start();
    stage.browser = await Browser.launch();
    return stage;
  }

  async close() {
    this.receiver.stop();
    await this.browser.close();
  }

  client(key) {
    const { protocol, hostname, port } = this.base;
    const settings = { host: hostname, port, protocol: protocol.slice(0, -1), telemetry: false };
    return new Stripe(key, { ...settings, maxNetworkRetries: 0 });
  }

  // Prints a line for each passed step; the first failure ends the scenario.
  async step(name, run) {
    try {
      await run();
    } catch (error) {
      process.stderr.write(`not ok ${name}\n`);
      throw error;
    }
    process.stdout.write(`ok ${name}\n`);
  }

  async control(method, path, body) {
    const answer = await this.ask(method, path, body);
    assert(answer.ok, `${method} /_emulator${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  }

  async ask(method, path, body) {
    const answer = await fetch(new URL(`/_emulator${path}`, this.base), {
      method,
      headers: body && { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    return { ok: answer.ok, status: answer.status, text: await answer.text() };
  }

  advance(seconds) {
    return this.control('POST', '/advance', { seconds });
  }

  settled() {
    return this.control('GET', '/settled');
  }

  // The required parameters of a Checkout Session.
  order(params = {}) {
    return {
      mode: 'payment',
      success_url: `${this.receiver.url}/success?session_id={CHECKOUT_SESSION_ID}`,
      cancel_url: `${this.receiver.url}/cancel`,
      line_items: [{
        quantity: 1,
        price_data: { currency: 'eur', unit_amount: 2000, product_data: { name: 'Twenty credits' } },
      }],
      ...params,
    };
  }

  // Pays a session through the control API; returns it with its PaymentIntent and charge.
  async buy(method, params) {
    const { id } = await this.stripe.checkout.sessions.create(this.order(params));
    await this.control('POST', `/sessions/${id}/pay`, method);
    return this.purchase(id);
  }

  async purchase(id) {
    await this.settled();
    const session = await this.stripe.checkout.sessions.retrieve(id, {
      expand: ['payment_intent.latest_charge'],
    });
    const intent = session.payment_intent;
    return { session, intent, charge: intent.latest_charge, ids: [id, intent.id, intent.latest_charge?.id] };
  }
}

// The expected error of a request: its class in the SDK, and some of its fields.
async function refused(request, kind, fields = {}) {
  const accepted = (answer) => assert.fail(`accepted: ${JSON.stringify(answer).slice(0, 300)}`);
  const error = await request.then(accepted, (it) => it);
  const said = `${error.constructor.name} (${error.statusCode} ${error.code}): ${error.message}`;
  assert(error instanceof Stripe.errors[kind], `expected ${kind}, got ${said}`);
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof RegExp) assert.match(`${error[name]}`, value, said);
    else assert.equal(error[name], value, `${name} of ${said}`);
  }
  return error;
}

const types = (events) => events.map((event) => event.type);

function includesInOrder(found, wanted) {
  let from = 0;
  for (const type of wanted) {
    from = found.indexOf(type, from) + 1;
    assert(from > 0, `no ${type} in its place: ${found.join(', ')}`);
  }
}

async function gathered(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

module.exports = { DAY, Stage, gathered, includesInOrder, refused, types };
