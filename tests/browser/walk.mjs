// Walks the console in headless Chromium as people would: an author signs in for the first time, reads the incident,
// corrects and submits the draft; an approver approves it; the PDF is downloaded. Leaves a screenshot of each page.
//
// Environment: CONSOLE (base address), SHOTS (folder for pictures), AUTHOR, APPROVER, ADMIN (one-time passwords).

import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { launchOptions, session, shot, signInFirst } from "./person.mjs";
import { sweepAll } from "./sweep.mjs";

const { CONSOLE, SHOTS, AUTHOR, APPROVER, ADMIN } = process.env;
const FACILITY = "shirase-hp";

/** Signs in for the first time, with a picture of each step. */
async function signIn(page, login, oneTime) {
  await signInFirst(page, CONSOLE, login, oneTime, (name) => shot(page, name));
}

await mkdir(SHOTS, { recursive: true });
const browser = await chromium.launch(launchOptions());
try {
  const author = await session(browser);
  await signIn(author.page, "author", AUTHOR);
  await shot(author.page, "10-overview");
  await author.page.goto(`${CONSOLE}/facilities/${FACILITY}`);
  await shot(author.page, "11-incidents");
  await author.page.click('article a[href*="/incidents/"]');
  await author.page.waitForSelector('a[href*="/reports/"]:visible', { timeout: 60000 });
  await shot(author.page, "12-incident");
  await interview(author.page);
  await shot(author.page, "12-interview");
  await author.page.fill("#how-backup_path", "バックアップ装置のケーブルを抜いた");
  await author.page.click('form:has(input[value="backup_path"]) button[value="done"]');
  await author.page.waitForURL(/done=step-taken/);
  await author.page.waitForSelector('details[open] form:has(input[value="outside_lines"])');
  await shot(author.page, "12-steps");
  await author.page.goto(`${CONSOLE}/deadlines`);
  await shot(author.page, "12-deadlines");
  await author.page.goBack();
  await author.page.click('a[href*="/reports/"]:visible');
  await shot(author.page, "13-draft");
  const report = author.page.url().split("?")[0].split("#")[0];
  await correct(author.page);
  await shot(author.page, "14-corrected");
  for (let tries = 0; tries < 10; tries++) {
    const [answer] = await Promise.all([
      author.page.waitForResponse((r) => r.request().method() === "POST"),
      author.page.click('form[action$="/submit"] button'),
    ]);
    if (answer.status() !== 409) break;
    author.complaints.length = 0; // The machine learned more in between: read again, submit again.
    await author.page.goto(report);
  }
  await shot(author.page, "15-submitted");

  // The approver reads and approves on a telephone, without JavaScript.
  const approver = await session(browser, { viewport: { width: 390, height: 844 }, javaScriptEnabled: false });
  await signIn(approver.page, "approver", APPROVER);
  await approver.page.goto(`${CONSOLE}/deadlines`);
  await shot(approver.page, "20-deadlines-phone");
  await approver.page.click('a[href*="/incidents/"]');
  await shot(approver.page, "20-incident-phone");
  await approver.page.goto(report);
  await shot(approver.page, "20-approve-phone");
  await approver.page.click('form[action$="/approve"] button');
  await shot(approver.page, "21-approved-phone");
  const [download] = await Promise.all([
    approver.page.waitForEvent("download"),
    approver.page.click('a[href$="/pdf"]'),
  ]);
  await download.saveAs(`${SHOTS}/report.pdf`);

  const admin = await session(browser);
  await signIn(admin.page, "admin", ADMIN);
  for (const [name, path] of [["30-hosts", "/hosts"], ["31-settings", "/settings"], ["32-users", "/users"], ["33-audit", "/audit"]]) {
    await admin.page.goto(`${CONSOLE}/facilities/${FACILITY}${path}`);
    await shot(admin.page, name);
  }
  await admin.page.goto(`${CONSOLE}/alerts`);
  await shot(admin.page, "34-alerts");
  await admin.page.goto(`${CONSOLE}/language/en?back=/facilities/${FACILITY}`);
  await shot(admin.page, "35-english");
  await sweepAll(admin.page, CONSOLE, `/facilities/${FACILITY}`);

  const complaints = [...author.complaints, ...approver.complaints, ...admin.complaints];
  if (complaints.length) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
} finally {
  await browser.close();
}

/** Answers the three questions of the first hour with one click each, and records when the institution knew. */
async function interview(page) {
  for (const [question, choice] of [["20", "feared"], ["17", "yes"], ["51", "no"]]) {
    await page.click(`#question-${question} button[value="${choice}"]`);
    await page.waitForSelector(`#question-${question} .note.done`);
  }
  await page.click('details.moments details:has(input[value="aware"]) summary');
  await page.click('form:has(input[value="aware"]) button');
  await page.waitForURL(/done=moment/);
}

/** Answers "has personal data leaked?" as a person would: under investigation, with a sentence. */
async function correct(page) {
  await page.click('a[href$="/fields/20"]');
  await shot(page, "13-field");
  await page.locator("main textarea").first().fill("漏えいの有無を保守会社とともに調査中。");
  await page.fill("#why", "保守会社の見立てを加えた");
  await page.click("main form button");
}
