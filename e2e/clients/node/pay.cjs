// `node pay.cjs URL CARD [mouse|keyboard]`: pays a Checkout Session in headless Chromium, and prints the URL
// after the payment. For scenarios in other languages. NODE_PATH is where playwright-core is installed.
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
