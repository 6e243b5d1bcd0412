// Draws the report's charts with uPlot where there is a script: hover, zoom, and a slider through the night. The
// pictures in the page stay for readers without one, and for print.
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('curves').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const ROW = 15;

  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clocks = data.clocks.map(({ zone, names }) => ({
    names,
    full: new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
    hour: new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    day: new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'short' }),
    time: new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
  }));
  const zoneName = (clock, at) => clock.names.reduce((name, [from, next]) => (from <= at ? next : name), clock.names[0][1]);
  const moment = (at) =>
    clocks.map((clock, number) => `${(number ? clock.time : clock.full).format(at * 1000)} ${zoneName(clock, at)}`).join(' · ');
  const phaseAt = (at) => data.phases.reduce((name, phase) => (phase.at <= at ? phase.name : name), data.phases[0]?.name ?? '');

  const short = (value) => {
    for (const [size, letter] of [[1e6, 'M'], [1e3, 'k']]) {
      if (Math.abs(value) >= size * 0.9995) return `${+(value / size).toPrecision(3)}${letter}`;
    }
    return `${+value.toPrecision(3)}`;
  };
  const written = (value, unit) => {
    if (value == null) return 'none';
    if (unit === 'share') return `${(100 * value).toFixed(Math.abs(value) < 0.1 ? 2 : 1)} %`;
    return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
  };

  /** Shades every other phase, and names the phases above the first chart where there is room. */
  function phases(named) {
    return {
      hooks: {
        drawClear: (u) => {
          const { ctx, bbox } = u;
          const px = devicePixelRatio;
          const taken = [[], [], []];
          ctx.save();
          ctx.font = `italic ${scaled(FONT)}`;
          ctx.textAlign = 'left';
          data.phases.forEach((phase, number) => {
            const end = data.phases[number + 1]?.at ?? Infinity;
            const left = Math.max(bbox.left, u.valToPos(Math.max(phase.at, u.scales.x.min), 'x', true));
            const right = Math.min(bbox.left + bbox.width, u.valToPos(Math.min(end, u.scales.x.max), 'x', true));
            if (phase.at > u.scales.x.max || end < u.scales.x.min || right <= left) return;
            if (number % 2) {
              ctx.fillStyle = ink('--band');
              ctx.fillRect(left, bbox.top, right - left, bbox.height);
            }
            ctx.fillStyle = ink('--faint');
            ctx.fillRect(left, bbox.top, px, bbox.height);
            if (!named) return;
            const until = left + ctx.measureText(phase.name).width + 8 * px;
            const row = taken.findIndex((others) => until <= bbox.left + bbox.width && others.every(([l, r]) => until <= l || left >= r));
            if (row < 0) return;
            taken[row].push([left, until]);
            ctx.fillRect(left, bbox.top - (row + 1) * ROW * px, px, (row + 1) * ROW * px);
            ctx.fillStyle = ink('--ink');
            ctx.textBaseline = 'middle';
            ctx.fillText(phase.name, left + 4 * px, bbox.top - (row + 0.5) * ROW * px);
          });
          ctx.restore();
        },
      },
    };
  }

  /** Names each line at its highest visible point, so that nobody has to match colours. */
  function labels(chart) {
    return {
      hooks: {
        draw: (u) => {
          const { ctx, bbox } = u;
          const px = devicePixelRatio;
          const boxes = [];
          ctx.save();
          ctx.font = `bold ${scaled(FONT)}`;
          ctx.textAlign = 'left';
          ctx.textBaseline = 'middle';
          ctx.lineJoin = 'round';
          chart.marks.forEach((mark, number) => {
            if (mark.at < u.scales.x.min || mark.at > u.scales.x.max) return;
            const x = u.valToPos(mark.at, 'x', true);
            ctx.fillStyle = ink('--ink');
            ctx.fillRect(x, bbox.top, px, bbox.height);
            const whole = ctx.measureText(mark.text).width + 16 * px <= bbox.width;
            place(whole ? mark.text : mark.text.split(',')[0], x, bbox.top + (number + 0.6) * ROW * px, ink('--ink'));
          });
          const [from, to] = u.series[0].idxs;
          chart.curves.forEach((curve, number) => {
            if (!u.series[number + 1].show) return;
            let best = -1;
            for (let i = from; i <= to; i++) {
              const value = curve.values[i];
              if (value != null && (best < 0 || value > curve.values[best])) best = i;
            }
            if (best < 0 || curve.values[best] === 0) return;
            const top = u.valToPos(Math.min(curve.values[best], u.scales.y.max), 'y', true);
            place(curve.name, u.valToPos(chart.start + best * chart.step, 'x', true), top, curve.colour || ink('--ink'));
          });
          ctx.restore();

          function place(text, x, y, colour) {
            const width = ctx.measureText(text).width + 16 * px;
            const left = Math.max(bbox.left, Math.min(x + 4 * px, bbox.left + bbox.width - width));
            let top = Math.max(bbox.top + 8 * px, y - 8 * px);
            while (boxes.some((box) => left < box.right && box.left < left + width && Math.abs(box.top - top) < ROW * px) && top < bbox.top + bbox.height) {
              top += ROW * px;
            }
            if (top >= bbox.top + bbox.height) return;
            boxes.push({ left, right: left + width, top });
            ctx.fillStyle = colour;
            ctx.fillRect(left, top - 2 * px, 9 * px, 4 * px);
            ctx.strokeStyle = ink('--paper');
            ctx.lineWidth = 3 * px;
            ctx.strokeText(text, left + 13 * px, top);
            ctx.fillStyle = ink('--ink');
            ctx.fillText(text, left + 13 * px, top);
          }
        },
      },
    };
  }

  const scaled = (font) => font.replace('12px', `${12 * devicePixelRatio}px`);

  /** The scale of a chart: from 0, or symmetric; outliers are cut off until the reader zooms in. */
  const range = (chart, view) => (u, least, most) => {
    const high = Math.max(Math.abs(least ?? 0), Math.abs(most ?? 0));
    if (!chart.low) return [-(high || 1) * 1.25, (high || 1) * 1.25];
    const top = chart.top != null && !view.zoomed ? Math.min(chart.top, high * 1.2 || chart.top) : high * 1.2;
    return [0, top || 1];
  };

  function options(plot, chart, first, view, width) {
    const grid = { stroke: () => ink('--line'), width: 1 };
    const axis = { stroke: () => ink('--ink'), font: FONT, grid, ticks: { stroke: () => ink('--faint'), width: 1, size: 4 } };
    const times = (u, splits) =>
      splits.map((at, number) => {
        const text = clocks[0].hour.format(at * 1000);
        return text === '00:00' || number === 0 ? `${text}\n${clocks[0].day.format(at * 1000)}` : text;
      });
    const curves = chart.curves.flatMap((curve) => [
      {
        label: curve.name,
        stroke: () => curve.colour || ink('--ink'),
        fill: curve.filled ? `${curve.colour}29` : undefined,
        width: 2,
        spanGaps: false,
        points: { show: false },
        value: (u, value, number, index) => {
          if (index == null) return '';
          const truth = curve.truth === true ? value : curve.truth?.[index];
          const differs = curve.truth && truth !== value ? ` (truth ${written(truth, chart.unit)})` : '';
          return written(value, chart.unit) + differs;
        },
      },
    ]);
    const truths = chart.curves
      .filter((curve) => curve.truth)
      .map((curve) => ({ label: `${curve.name}, truth`, class: 'truth', stroke: () => ink('--ink'), width: 1, dash: [1, 4], points: { show: false } }));
    return {
      width,
      height: first ? 320 : 190,
      padding: [first ? 3 * ROW + 4 : 8, 8, 0, 0],
      series: [{ label: 'time', value: (u, at) => (at == null ? '' : moment(at)) }, ...curves, ...truths],
      scales: { x: { time: true }, y: { range: range(chart, view) } },
      axes: [
        { ...axis, values: times, space: 60, size: 44 },
        { ...axis, size: 52, values: (u, splits) => splits.map((value) => (chart.unit === 'share' ? `${+(100 * value).toPrecision(3)}%` : short(value))) },
      ],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), data.clocks[0].zone),
      cursor: { sync: { key: plot.id, scales: ['x', null] }, y: false, points: { size: (u, number) => (number <= chart.curves.length ? 8 : 0), fill: (u, number) => chart.curves[number - 1]?.colour || ink('--ink'), stroke: () => ink('--paper') }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => null } },
      legend: { live: true },
      plugins: [phases(first), labels(chart)],
      hooks: {
        setSelect: [
          (u) => {
            if (u.select.width < 4) return;
            view.zoom(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  function build(plot) {
    const place = document.getElementById(`live-${plot.id}`);
    const whole = [Infinity, -Infinity];
    for (const chart of plot.charts) {
      whole[0] = Math.min(whole[0], chart.start);
      whole[1] = Math.max(whole[1], chart.start + (chart.curves[0].values.length - 1) * chart.step);
    }
    const view = { zoomed: false };
    const slider = place.querySelector('input');
    const said = place.querySelector('output');
    place.hidden = false;
    const charts = plot.charts.map((chart, number) => {
      const times = chart.curves[0].values.map((_, index) => chart.start + index * chart.step);
      const truths = chart.curves.filter((curve) => curve.truth).map((curve) => (curve.truth === true ? curve.values : curve.truth));
      const holder = place.querySelector(`[data-chart="${number}"]`);
      const u = new uPlot(
        options(plot, chart, number === 0, view, holder.clientWidth),
        [times, ...chart.curves.map((curve) => curve.values), ...truths],
        holder,
      );
      u.setScale('x', { min: whole[0], max: whole[1] });
      return u;
    });
    const step = Math.min(...plot.charts.map((chart) => chart.step));
    Object.assign(slider, { min: 0, max: Math.round((whole[1] - whole[0]) / step), step: 1 });
    let at = whole[0];

    const shown = () => charts[0].scales.x;
    const zoom = (view.zoom = (from, to) => {
      const width = Math.min(to - from, whole[1] - whole[0]);
      view.zoomed = width < 0.9 * (whole[1] - whole[0]);
      const begin = Math.max(whole[0], Math.min(from, whole[1] - width));
      for (const u of charts) u.setScale('x', { min: begin, max: begin + width });
    });
    const say = () => {
      slider.value = Math.round((at - whole[0]) / step);
      const text = `${moment(at)} · ${phaseAt(at)}`;
      slider.setAttribute('aria-valuetext', text);
      said.textContent = text;
    };
    const go = (to) => {
      at = Math.max(whole[0], Math.min(whole[1], to));
      const { min, max } = shown();
      if (min != null && (at < min || at > max)) zoom(at - (max - min) / 2, at + (max - min) / 2);
      for (const u of charts) u.setCursor({ left: u.valToPos(at, 'x'), top: u.over.clientHeight / 2 }, false, false);
      charts.forEach((u) => u.setLegend({ idx: u.valToIdx(at) }, false));
      say();
    };
    slider.addEventListener('input', () => go(whole[0] + slider.value * step));
    const around = (factor) => {
      const { min, max } = shown();
      const width = Math.max(20 * step, (max - min) * factor);
      zoom(at - width * ((at - min) / (max - min)), at + width * ((max - at) / (max - min)));
      go(at);
    };
    place.querySelector('[data-do="in"]').addEventListener('click', () => around(1 / 2));
    place.querySelector('[data-do="out"]').addEventListener('click', () => around(2));
    place.querySelector('[data-do="whole"]').addEventListener('click', () => zoom(...whole));
    for (const u of charts) {
      const follow = () => {
        if (u.cursor.left < 0) return;
        at = u.posToVal(u.cursor.left, 'x');
        say();
      };
      u.over.addEventListener('mousemove', follow);
      u.over.addEventListener('mouseup', () => requestAnimationFrame(follow));
      u.over.addEventListener('dblclick', () => zoom(...whole));
    }
    new ResizeObserver(() => {
      charts.forEach((u) => {
        const width = u.root.parentElement.clientWidth;
        if (width && width !== u.width) u.setSize({ width, height: u.height });
      });
    }).observe(place);
    dark.addEventListener('change', () => charts.forEach((u) => u.redraw()));
    place.closest('section').classList.add('drawn');
    const tallest = plot.charts[0].curves.reduce((best, curve) => (Math.max(...curve.values) > Math.max(...best.values) ? curve : best));
    const peak = plot.charts[0].start + tallest.values.indexOf(Math.max(...tallest.values)) * plot.charts[0].step;
    go(peak);
    requestAnimationFrame(() => go(peak)); // again after the charts' first drawing, which sets the cursor aside
  }

  for (const plot of data.plots) build(plot);
})();
