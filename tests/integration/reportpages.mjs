// Opens pages in headless Chromium, does what a reader does, and prints what they show:
// `node reportpages.mjs JOB.json CHROMIUM FOLDER-WITH-PUPPETEER`.
//
// JOB.json: [{name, path, width, height, dark, script, steps, picture, pdf}]. A step is {do: "hover", chart, x} (x a
// share of the chart), {do: "drag", chart, from, to}, {do: "slide", plot, to}, {do: "click", selector}, {do: "theme",
// dark}. Prints {name: {errors, requests, width, scroll, said, legends, spans, drawn, steps, sections}}.
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [jobPath, chromium, folder] = process.argv.slice(2);
const puppeteer = createRequire(path.join(folder, 'package.json'))('puppeteer-core');
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const found = {};
  for (const job of JSON.parse(await readFile(jobPath, 'utf8'))) found[job.name] = await read(job);
  process.stdout.write(JSON.stringify(found));
} finally {
  await browser.close();
}

async function read(job) {
  const page = await browser.newPage();
  const errors = [];
  const requests = [];
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.setJavaScriptEnabled(job.script ?? true);
  await page.setViewport({ width: job.width, height: job.height ?? 800, deviceScaleFactor: 2, isMobile: job.width < 500, hasTouch: job.width < 500 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: job.dark ? 'dark' : 'light' }]);
  await page.goto(pathToFileURL(job.path).href);
  const steps = [];
  for (const step of job.steps ?? []) {
    await act(page, step);
    steps.push(await state(page));
  }
  if (job.picture) await page.screenshot({ path: job.picture, fullPage: job.whole ?? true });
  const now = await state(page);
  await page.emulateMediaType('print');
  await page.setViewport({ width: 718, height: 1047 }); // A4 without Chromium's margins
  const sections = await page.evaluate(() =>
    [...document.querySelectorAll('.picture')].map((section) => ({
      height: section.getBoundingClientRect().height,
      inside: getComputedStyle(section).breakInside,
      parts: [...section.querySelectorAll('h2, figure svg, .live')].map((part) => [part.tagName, part.getBoundingClientRect().height > 0]),
    })),
  );
  if (job.pdf) await page.pdf({ path: job.pdf, format: 'A4', margin: { top: '12mm', bottom: '12mm', left: '10mm', right: '10mm' } });
  await page.close();
  return { errors, requests, ...now, steps, sections };
}

async function act(page, step) {
  if (step.do === 'theme') {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: step.dark ? 'dark' : 'light' }]);
  } else if (step.do === 'click') {
    await page.$eval(step.selector, (element) => element.click());
  } else if (step.do === 'slide') {
    await page.$eval(`#live-${step.plot} input`, (input, to) => {
      input.value = Math.round(to * input.max);
      input.dispatchEvent(new Event('input'));
    }, step.to);
  } else {
    const chart = (await page.$$('.u-over'))[step.chart];
    await chart.scrollIntoView();
    const box = await chart.boundingBox();
    const at = (share) => [box.x + share * box.width, box.y + box.height / 2];
    await page.mouse.move(...at(step.do === 'hover' ? step.x : step.from));
    if (step.do === 'drag') {
      await page.mouse.down();
      await page.mouse.move(...at(step.to), { steps: 5 });
      await page.mouse.up();
    }
  }
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function state(page) {
  return page.evaluate(() => ({
    width: innerWidth,
    scroll: document.documentElement.scrollWidth,
    said: [...document.querySelectorAll('.deck output')].map((output) => output.textContent),
    slid: [...document.querySelectorAll('.deck input')].map((input) => input.getAttribute('aria-valuetext')),
    legends: [...document.querySelectorAll('.chart')].map((chart) =>
      [...chart.querySelectorAll('.u-series:not(.truth)')].slice(1).map((row) => row.textContent)),
    drawn: [...document.querySelectorAll('.picture')].map((section) => ({
      charts: [...section.querySelectorAll('canvas')].filter((canvas) => canvas.getBoundingClientRect().width > 100).length,
      still: section.querySelector('figure').getBoundingClientRect().height > 0,
    })),
    small: [...document.querySelectorAll('main *')].filter((element) =>
      element.checkVisibility() && !element.closest('svg') && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) &&
      parseFloat(getComputedStyle(element).fontSize) < 12).map((element) => element.outerHTML.slice(0, 100)),
  }));
}
