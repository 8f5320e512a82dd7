// A shop that uses Stripe, with Stripe's own SDK for Node, STRIPE_API_BASE and STRIPE_SECRET_KEY. Written
// from Stripe's documentation and the SDK's types, so it also tests how faithful the emulator is. Prints `ok
// NAME` for each step, and stops at the first failure. NODE_PATH is where the packages are installed,
// FAIREPLACE_CHROMIUM is the browser.
'use strict';

const { deliveries } = require('./scenario/deliveries.cjs');
const { disputes } = require('./scenario/disputes.cjs');
const { purchase } = require('./scenario/purchase.cjs');
const { refunds } = require('./scenario/refunds.cjs');
const { requests } = require('./scenario/requests.cjs');
const { shapes } = require('./scenario/shapes.cjs');
const { Stage } = require('./scenario/stage.cjs');

async function main() {
  const stage = await Stage.open();
  try {
    const shop = await purchase(stage);
    await requests(stage);
    await refunds(stage, shop);
    await disputes(stage, shop);
    await shapes(stage, shop);
    await deliveries(stage, shop);
  } finally {
    await stage.close();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
