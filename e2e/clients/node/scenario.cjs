// The whole life of a shop that uses Stripe, played with Stripe's own SDK for Node against STRIPE_API_BASE,
// with the key STRIPE_SECRET_KEY: written from Stripe's documentation and the SDK's types, and so a judge of
// whoever answers. Prints `ok NAME` for each step; ends with the first that does not hold. NODE_PATH says
// where the packages are, FAIREPLACE_CHROMIUM where the browser is.
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
