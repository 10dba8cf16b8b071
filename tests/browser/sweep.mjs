// Walks every kind of page one can reach by links, in both languages, on a desk and on a phone, and says what is wrong:
// a page that does not come, runs out of its width, shows a text of the other language, a key instead of its words, or a
// field without a label.

import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const LOCALES = fileURLToPath(new URL("../../collector/locales", import.meta.url));
const WIDTHS = [1280, 390];
/** Pages of one kind, such as two incidents, that are looked at. */
const OF_A_KIND = 1;
/** What is handed out instead of shown. */
const FILE = /\/(pdf|xlsx|docx|json|csv|file|files|table|card|stix|package)(\/|$|\?)|\.(pdf|xlsx|docx|json|csv)/;
/** Where words that are kept, and not said by the page, stand: what people typed, answers of a report, the audit log. */
const KEPT = "bdi, .value, .mono, pre, textarea, option";
/** The names of the languages, each in its own. */
const LANGUAGES = ["日本語", "English"];

function locale(lang) {
  const words = new Map();
  for (const file of readdirSync(`${LOCALES}/${lang}`)) {
    for (const line of readFileSync(`${LOCALES}/${lang}/${file}`, "utf8").split("\n")) {
      const [, key, said] = /^([a-z][a-z0-9-]+) = (.+)$/.exec(line) ?? [];
      if (key) words.set(key, said.trim());
    }
  }
  return words;
}

/** What one language says and the other does not: whole texts without anything filled in. */
function alone(words, others) {
  const said = new Set(others.values());
  return new Set([...words.values()].filter((text) => !text.includes("{") && 2 < text.length && !said.has(text) && !LANGUAGES.includes(text)));
}

/** Looks at a page that stands open. */
function look(kept) {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text && !element.closest(kept)) texts.push([text, element.closest("[lang]").lang]);
  }
  const fields = [...document.querySelectorAll("input:not([type=hidden], [type=submit]), select, textarea")];
  const { scrollWidth, clientWidth, lang } = document.documentElement;
  return {
    texts,
    lang,
    over: scrollWidth - clientWidth,
    headed: Boolean(document.querySelector("h1")?.textContent.trim()),
    unlabelled: fields.filter((field) => !field.labels?.length && !field.ariaLabel && !field.getAttribute("aria-labelledby")).map((field) => field.name || field.id),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
  };
}

/** Walks from `start` as whoever is signed in on `page`. Returns the kinds of pages seen, and what is wrong with them. */
export async function sweep(page, base, start) {
  const words = { ja: locale("ja"), en: locale("en") };
  const keys = new Set([...words.ja.keys()].filter((key) => 2 < key.split("-").length));
  const foreign = { ja: alone(words.en, words.ja), en: alone(words.ja, words.en) };
  const kinds = new Map();
  const wrong = new Set();
  const waiting = [start];
  const known = new Set(waiting);
  while (waiting.length) {
    const path = waiting.shift();
    const kind = path.split("?")[0].replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\b\d+\b/g, "*");
    const count = (kinds.get(kind) ?? 0) + 1;
    if (OF_A_KIND < count || /^\/(language|static)\//.test(path)) continue;
    kinds.set(kind, count);
    if (FILE.test(path)) {
      const answer = await page.request.get(base + path);
      if (answer.status() !== 200) wrong.add(`${kind}: status ${answer.status()}`);
      continue;
    }
    for (const lang of ["en", "ja"]) {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const answer = await page.goto(`${base}/language/${lang}?back=${path}`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
        const seen = await page.evaluate(look, KEPT);
        const say = (what) => wrong.add(`${kind} (${lang}, ${width}): ${what}`);
        if (answer.status() !== 200) say(`status ${answer.status()}`);
        if (seen.lang !== lang) say(`it is in ${seen.lang}`);
        if (!seen.headed) say("no heading");
        if (1 < seen.over) say(`${seen.over} px too wide`);
        for (const field of seen.unlabelled) say(`no label for ${field}`);
        for (const [text, said] of seen.texts) {
          if (foreign[said]?.has(text)) say(`not ${said}: ${text}`);
          for (const word of text.split(/[\s"'“”（）(),:、。]+/)) if (keys.has(word)) say(`the key ${word}`);
        }
        for (const link of seen.links) {
          const { origin, pathname, search } = new URL(link);
          const next = pathname + search;
          if (origin === base && !known.has(next)) {
            known.add(next);
            waiting.push(next);
          }
        }
      }
    }
  }
  return { kinds: [...kinds.keys()], wrong: [...wrong] };
}

/** The same, and fails if anything is wrong. */
export async function sweepAll(page, base, start) {
  const { kinds, wrong } = await sweep(page, base, start);
  console.log(`${kinds.length} kinds of pages and files looked at`);
  if (wrong.length) throw new Error(`pages are wrong:\n${wrong.join("\n")}`);
}
