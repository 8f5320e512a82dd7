// The payment page in a real browser. Fields are found by their labels and by the standard `autocomplete`
// tokens, and not by the page's own names.
'use strict';

const assert = require('node:assert/strict');
const { chromium } = require('playwright-core');

const PERSON = {
  email: 'jenny.rosen@example.com',
  name: 'Jenny Rosen',
  'cc-name': 'Jenny Rosen',
  country: 'Austria',
  'postal-code': '1010',
};
const card = (number) => ({ 'cc-number': number, 'cc-exp': '12 / 34', 'cc-csc': '123' });
const PAY = { name: /^pay\b/i };
const PATIENCE = 20_000;

class Browser {
  // With additional command line arguments for Chromium.
  static async launch(args = []) {
    const executablePath = process.env.FAIREPLACE_CHROMIUM;
    assert(executablePath, 'FAIREPLACE_CHROMIUM does not say where Chromium is');
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath, args });
    return browser;
  }

  // A new page, without cookies and storage of earlier pages.
  async open(url) {
    const context = await this.chromium.newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(url);
    return page;
  }

  close() {
    return this.chromium.close();
  }
}

async function fill(page, values) {
  for (const [token, value] of Object.entries(values)) {
    const field = page.locator(`[autocomplete~="${token}"]:visible`).first();
    if ((await field.count()) === 0 || !(await field.isEditable())) continue;
    if ((await field.evaluate((element) => element.tagName)) === 'SELECT') {
      await field.selectOption({ label: value });
    } else {
      await field.click();
      await field.fill(value);
    }
  }
}

// Clicks each field and types, then clicks the button.
async function payWithMouse(page, number) {
  await fill(page, { ...PERSON, ...card(number) });
  await page.getByRole('button', PAY).click();
}

// Chooses SEPA Direct Debit and pays from an account.
async function payByDebit(page, iban) {
  await page.getByRole('radio', { name: /SEPA/ }).check();
  await fill(page, PERSON);
  await page.getByRole('textbox', { name: 'IBAN' }).fill(iban);
  await page.getByRole('button', PAY).click();
}

// Pays with the keyboard alone: Tab, text, Enter.
async function payWithKeyboard(page, number) {
  const values = { ...PERSON, ...card(number) };
  const typed = new Set();
  for (let presses = 0; presses < 60; presses += 1) {
    const focus = await page.evaluate(() => {
      const { tagName, type, autocomplete } = document.activeElement;
      return { tagName, type, token: (autocomplete ?? '').split(' ').pop() };
    });
    if (focus.tagName === 'BUTTON' && focus.type === 'submit' && typed.has('cc-number')) {
      await page.keyboard.press('Enter');
      return;
    }
    if (values[focus.token] && !typed.has(focus.token)) {
      typed.add(focus.token);
      if (focus.tagName === 'INPUT') await page.keyboard.press('Control+A');
      await page.keyboard.type(values[focus.token]);
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`sixty times Tab did not lead to the button; on the way: ${[...typed].join(', ')}`);
}

// Waits until the browser has returned to the shop; returns the URL.
async function returned(page, shop) {
  await page.waitForURL((url) => url.href.startsWith(shop), { timeout: PATIENCE });
  return new URL(page.url());
}

module.exports = { Browser, payByDebit, payWithMouse, payWithKeyboard, returned };
