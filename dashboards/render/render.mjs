// Draws pictures of boards in headless Chromium: `node render.mjs JOBS.json CHROMIUM`.
//
// JOBS.json: {out, boards: {uid: board}, data: {name: {answers, marks, variables, from, to}}, pictures: [{name, uid,
// data, theme, width, height}]}; height 0 is the whole board. Prints {picture: [finding, …]} as JSON.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PAGE = '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css"><body></body><script src="page.js"></script>';
const SETTLED_MS = 30_000;

/** Packages that Grafana's modules import by default, and whose default is one level deeper for a strict bundler. */
const defaultExports = {
  name: 'default-exports',
  setup(wanted) {
    wanted.onResolve({ filter: /^react-custom-scrollbars-2$/ }, ({ path: name, resolveDir, namespace }) =>
      namespace === 'default-exports' ? undefined : { path: name, namespace: 'default-exports', pluginData: resolveDir },
    );
    wanted.onLoad({ filter: /.*/, namespace: 'default-exports' }, ({ path: name, pluginData: resolveDir }) => ({
      contents: `export { default } from ${JSON.stringify(name)};`,
      resolveDir,
    }));
  },
};

const [jobsPath, chromium] = process.argv.slice(2);
const jobs = JSON.parse(await readFile(jobsPath, 'utf8'));
const folder = await mkdtemp(path.join(tmpdir(), 'joinstorm-render-'));
let browser;
try {
  await bundle(folder);
  browser = await puppeteer.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--allow-file-access-from-files'],
  });
  const found = {};
  const page = await browser.newPage();
  await page.goto(pathToFileURL(path.join(folder, 'page.html')).href);
  for (const picture of jobs.pictures) {
    found[picture.name] = await draw(page, picture);
  }
  process.stdout.write(JSON.stringify(found));
} finally {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
}

async function bundle(out) {
  await build({
    entryPoints: [path.join(HERE, 'page.jsx')],
    outfile: path.join(out, 'page.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    jsx: 'automatic',
    target: 'chrome110',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    plugins: [defaultExports],
    loader: { '.svg': 'dataurl', '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.png': 'dataurl' },
  });
  await writeFile(path.join(out, 'page.css'), '', { flag: 'a' });
  await writeFile(path.join(out, 'page.html'), PAGE);
}

async function draw(page, { name, uid, data, theme, width, height }) {
  await page.setViewport({ width, height: height || 800 });
  const board = jobs.boards[uid];
  await page.evaluate((job) => window.draw(job), { board, theme, width, ...jobs.data[data] });
  await settled(page);
  const found = await page.evaluate((drawn) => window.findings(drawn), board);
  await page.screenshot({ path: path.join(jobs.out, `${name}.png`), fullPage: !height });
  return found;
}

/** Wait until the page has stopped changing: graphs are laid out after their legends. */
async function settled(page) {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(
    () => {
      const now = document.body.innerHTML.length;
      const same = now === window.lastLength ? (window.sameFor ?? 0) + 1 : 0;
      Object.assign(window, { lastLength: now, sameFor: same });
      return same > 5;
    },
    { polling: 'raf', timeout: SETTLED_MS },
  );
}
