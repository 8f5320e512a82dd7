// `node pay.cjs URL CARD [mouse|keyboard]`: pays a Checkout Session in headless Chromium, and prints where
// the page went then. For scenarios in other languages. NODE_PATH says where playwright-core is.
'use strict';

const { Browser, payWithKeyboard, payWithMouse } = require('./scenario/page.cjs');

async function main([url, card, hands = 'mouse']) {
  const browser = await Browser.launch();
  try {
    const page = await browser.open(url);
    await (hands === 'keyboard' ? payWithKeyboard : payWithMouse)(page, card);
    const { pathname } = new URL(url);
    await page.waitForURL((now) => now.pathname !== pathname);
    process.stdout.write(`${page.url()}\n`);
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
