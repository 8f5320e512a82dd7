// An HTTP server that receives webhooks as a shop would: raw body, then the SDK's `constructEvent`. The
// payment page returns to it, too. Every path is an endpoint with its own secrets and behaviour.
'use strict';

const http = require('node:http');
const Stripe = require('stripe');

const NO_ANSWER = 'none';

// Writes until the connection is closed.
function flood(response) {
  const piece = Buffer.alloc(65_536, 'x');
  const write = () => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', write).on('error', () => {});
  write();
}

class Endpoint {
  constructor(url) {
    this.url = url;
    this.secrets = [];
    this.status = 200;
    this.answersEndlessly = false;
    this.arrivals = [];
  }

  // Creates the endpoint at Stripe and stores its secret.
  async register(stripe, params) {
    const created = await stripe.webhookEndpoints.create({ url: this.url, ...params });
    this.id = created.id;
    this.secrets = [created.secret];
    return created;
  }

  receive(body, headers) {
    const signature = headers['stripe-signature'];
    const verified = this.secrets.map((secret) => {
      try {
        return Stripe.webhooks.constructEvent(body, signature, secret);
      } catch (error) {
        return error;
      }
    });
    const event = verified.find((result) => !(result instanceof Error));
    // Deliveries with a wrong signature are stored, too: the steps assert that there are none.
    this.arrivals.push({ event, verified, headers, body: body.toString('utf8') });
    return event ? this.status : 400;
  }

  // The events with a correct signature, in order of arrival.
  get events() {
    return this.arrivals.map((arrival) => arrival.event).filter(Boolean);
  }

  // The events about any of these objects.
  about(...ids) {
    const known = new Set(ids.filter(Boolean));
    return this.events.filter(({ data: { object } }) =>
      [object.id, object.payment_intent, object.charge].some((id) => known.has(id)));
  }
}

class Receiver {
  async start() {
    this.endpoints = new Map();
    this.server = http.createServer((request, response) => this.answer(request, response));
    await new Promise((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  endpoint(path) {
    const endpoint = new Endpoint(this.url + path);
    this.endpoints.set(path, endpoint);
    return endpoint;
  }

  answer(request, response) {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const endpoint = this.endpoints.get(request.url);
      const status = endpoint ? endpoint.receive(Buffer.concat(pieces), request.headers) : 200;
      if (status === NO_ANSWER) return request.socket.destroy();
      response.writeHead(status, { 'content-type': 'text/plain', location: '/elsewhere' });
      return endpoint?.answersEndlessly ? flood(response) : response.end('the shop');
    });
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

module.exports = { NO_ANSWER, Receiver };
