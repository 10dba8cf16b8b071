// The first contact of the Osaka rehearsal: from the link in the alert to the approval, counting every click and every field
// typed into. Accounts are set up before; signing in at night counts. Pictures of each page are left, in both languages
// and at the width of a telephone.
//
// Environment: CONSOLE, INCIDENT (path of its page), SHOTS, AHEAD (seconds the collector's clock is ahead), AUTHOR and
// APPROVER (one-time passwords), MOST (clicks and fields that are too many).

import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { handIn } from "./hand_in.mjs";
import { Hands, PASSWORD, code, launchOptions, session, shot, signInFirst } from "./person.mjs";

const { CONSOLE, INCIDENT, SHOTS, AUTHOR, APPROVER, MOST } = process.env;

await mkdir(SHOTS, { recursive: true });
const browser = await chromium.launch(launchOptions());
try {
  const secrets = {};
  for (const [login, oneTime] of [["night", AUTHOR], ["head", APPROVER]]) {
    const first = await session(browser);
    secrets[login] = await signInFirst(first.page, CONSOLE, login, oneTime);
    await first.context.close();
  }

  const author = await session(browser);
  const hands = new Hands(author.page);
  await signIn(author.page, hands, "night", secrets.night, INCIDENT);
  await shot(author.page, "osaka-01-incident");
  await hands.click("take it up", 'form[action$="/acknowledge"] button');
  await hands.click("the call is on record", 'form[action$="/vendor-called"] button');
  await hands.type("how care is hindered", "#note-17", "電子カルテが使えず、外来と救急を紙で受け付けている");
  await hands.click("care: yes", '#question-17 button[value="yes"]');
  await hands.click("leak: feared", '#question-20 button[value="feared"]');
  await hands.click("restorable: under investigation", '#question-51 button[value=""]');
  await hands.click("when we knew", 'details.moments details:has(input[value="aware"]) summary');
  await hands.type("the time", "#at-aware", "2022-10-31T07:05");
  await hands.click("save", 'form:has(input[value="aware"]) button');
  await author.page.waitForURL(/done=moment/);
  await shot(author.page, "osaka-02-answered");

  await hands.click("open the report", 'a.button[href*="/reports/"]');
  const report = author.page.url().split("?")[0].split("#")[0];
  await shot(author.page, "osaka-03-draft");
  await hands.click("correct whom we told", 'a[href$="/fields/41"]');
  await shot(author.page, "osaka-04-field");
  const calls = [["2022-10-31 07:08", "府の医療担当課", "電話"], ["2022-10-31 07:09", "市の保健所", "電話"]];
  const row = (await author.page.locator("fieldset.row").count()) - 3;
  for (const [index, [at, whom, text]] of calls.entries()) {
    await hands.type("when", `#i-${row + index}-at`, at);
    await hands.type("whom", `#i-${row + index}-label`, whom);
    await hands.type("how", `#i-${row + index}-text`, text);
  }
  await hands.click("confirmed", 'input[name="status"][value="confirmed"]');
  await hands.click("save", "main form button");
  await author.page.waitForURL(/done=saved/);
  await hands.click("correct whether help was asked", 'a[href$="/fields/42"]');
  await hands.click("asked", 'input[name="choice"][value="requested"]');
  await hands.click("confirmed", 'input[name="status"][value="confirmed"]');
  await hands.click("save", "main form button");
  await author.page.waitForURL(/done=saved/);
  await shot(author.page, "osaka-05-filled");
  await submit(author, hands, report);
  await shot(author.page, "osaka-06-submitted");

  const approver = await session(browser, { viewport: { width: 390, height: 844 } });
  const thumbs = new Hands(approver.page);
  await signIn(approver.page, thumbs, "head", secrets.head, new URL(report).pathname);
  await shot(approver.page, "osaka-07-approve-phone");
  await thumbs.click("approve", 'form[action$="/approve"] button');
  await approver.page.waitForURL(/done=approved/);
  await shot(approver.page, "osaka-08-approved-phone");
  const total = hands.count + thumbs.count;

  for (const [name, path] of [["incident", INCIDENT], ["deadlines", "/deadlines"], ["report", new URL(report).pathname]]) {
    await approver.page.goto(CONSOLE + path);
    await shot(approver.page, `osaka-09-${name}-phone`);
    await author.page.goto(CONSOLE + path);
    await shot(author.page, `osaka-10-${name}`);
    await author.page.goto(`${CONSOLE}/language/en?back=${path}`);
    await shot(author.page, `osaka-11-${name}-english`);
    await author.page.goto(`${CONSOLE}/language/ja?back=${path}`);
  }

  const place = INCIDENT.split("/incidents/")[0];
  for (const [name, path] of [["approval-rules", "/approval"], ["contacts", "/contacts"], ["contact-chart", "/contacts/chart"]]) {
    await author.page.goto(CONSOLE + place + path);
    await shot(author.page, `osaka-12-${name}`);
  }
  await handIn(approver, { console_: CONSOLE, report, incident: INCIDENT });

  console.log([...hands.told, ...thumbs.told].map((what, index) => `${index + 1}. ${what}`).join("\n"));
  console.log(`clicks and fields typed into: ${total}`);
  if (Number(MOST) <= total) throw new Error(`${total} clicks and fields are not fewer than ${MOST}`);
  const complaints = [...author.complaints, ...approver.complaints];
  if (complaints.length) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
} finally {
  await browser.close();
}

/** Follows a link and signs in on the way. */
async function signIn(page, hands, login, secret, path) {
  await page.goto(CONSOLE + path);
  await hands.type("login", "#login", login);
  await hands.type("password", "#password", PASSWORD);
  await hands.click("sign in", "main button");
  await hands.type("code", "#code", code(secret));
  await hands.click("sign in", "main button");
  await page.waitForSelector("nav");
  if (!page.url().includes(path)) throw new Error(`the link of the mail led to ${page.url()} instead of ${path}`);
}

/** Submits; where the machine learned more in between, reads again and submits again. */
async function submit(author, hands, report) {
  for (let tries = 0; tries < 10; tries++) {
    const answered = author.page.waitForResponse((r) => r.request().method() === "POST");
    await hands.click("submit", 'form[action$="/submit"] button');
    if ((await answered).status() !== 409) return;
    author.complaints.length = 0;
    await author.page.goto(report);
  }
}
