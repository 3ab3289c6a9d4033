/** The plots of a result directory, drawn as SVG by ECharts without a browser. */
import { CustomChart, type CustomSeriesOption, LineChart, type LineSeriesOption } from 'echarts/charts';
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  TitleComponent,
  type TitleComponentOption,
} from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { sorted } from '../stats/median.ts';
import type { Cell, Entry } from './result.ts';

use([CustomChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

type Option = ComposeOption<CustomSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption>;

const WIDTH = 800;
const HEIGHT = 480;
/** Okabe and Ito's colours, told apart by colour-blind readers too. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
/** Points of a distribution's curve. */
const CURVE_POINTS = 400;

function draw(option: Option): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption({ animation: false, color: COLORS, backgroundColor: '#fff', ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Ratio over number of VMAs, with intervals, a line per variant. */
export function ratioPlot(title: string, entries: readonly Entry[]): string {
  const shown = entries.filter((e) => e.judged !== undefined);
  const variants = [...new Set(shown.map((e) => e.variant))];
  const series = variants.flatMap((variant, i): (LineSeriesOption | CustomSeriesOption)[] => {
    const mine = shown.filter((e) => e.variant === variant);
    // Side by side, or intervals at the same size would hide each other.
    const x = (e: Entry): number => Math.log2(e.vmas) + 0.06 * (i - (variants.length - 1) / 2);
    const color = COLORS[i % COLORS.length] as string;
    return [
      { type: 'line', name: variant, symbolSize: 7, data: mine.map((e) => [x(e), e.ratio]), itemStyle: { color }, lineStyle: { color } },
      {
        type: 'custom',
        data: mine.map((e) => [x(e), e.ciLow, e.ciHigh]),
        encode: { x: 0, y: [1, 2] },
        renderItem: (_params, api) => {
          const low = api.coord([api.value(0), api.value(1)]) as [number, number];
          const high = api.coord([api.value(0), api.value(2)]) as [number, number];
          const style = { stroke: color, lineWidth: 1.5 };
          const cap = (y: number) => ({ type: 'line' as const, shape: { x1: low[0] - 4, x2: low[0] + 4, y1: y, y2: y }, style });
          const whisker = { type: 'line' as const, shape: { x1: low[0], x2: low[0], y1: low[1], y2: high[1] }, style };
          return { type: 'group', children: [whisker, cap(low[1]), cap(high[1])] };
        },
      },
    ];
  });
  // ECharts labels a logarithmic axis at powers of its own choice, so the logarithm is taken here.
  const sizes = shown.map((e) => Math.log2(e.vmas));
  const [least, most] = [Math.floor(Math.min(...sizes)) - 1, Math.ceil(Math.max(...sizes)) + 1];
  const even: LineSeriesOption = {
    type: 'line',
    showSymbol: false,
    data: [
      [least, 1],
      [most, 1],
    ],
    lineStyle: { color: '#888', type: 'dashed', width: 1 },
  };
  return draw({
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 0, data: variants },
    grid: { left: 70, right: 30, top: 50, bottom: 80 },
    xAxis: {
      type: 'value',
      min: least,
      max: most,
      interval: 1,
      name: 'VMAs',
      nameLocation: 'middle',
      nameGap: 28,
      axisLabel: { formatter: (power) => (power === least || power === most ? '' : String(2 ** power)) },
    },
    yAxis: {
      type: 'value',
      scale: true,
      name: `ratio to ${shown[0]?.baseline ?? 'the baseline'}`,
      nameTextStyle: { align: 'left' },
      axisLine: { onZero: false },
    },
    series: [even, ...series],
  });
}

/** Share of the exits that took at least so long, both axes logarithmic: the tail is what an interval hides. */
export function latencyPlot(title: string, cell: Cell): string {
  const curves = cell.experiment.variants
    .map((v) => ({ variant: v.variant, samples: sorted(v.blocks.flatMap((b) => b.samples ?? [])) }))
    .filter((c) => c.samples.length > 0);
  const series = curves.map(({ variant, samples }): LineSeriesOption => {
    const n = samples.length;
    const places = new Set(Array.from({ length: CURVE_POINTS }, (_, i) => Math.round(n - n ** (1 - i / (CURVE_POINTS - 1)))));
    const data = [...places].filter((i) => i < n).map((i) => [samples[i] as number, (n - i) / n]);
    return { type: 'line', name: variant, step: 'end', showSymbol: false, data };
  });
  return draw({
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 0, data: curves.map((c) => c.variant) },
    grid: { left: 80, right: 30, top: 50, bottom: 80 },
    xAxis: { type: 'log', name: 'exit latency, us', nameLocation: 'middle', nameGap: 28 },
    yAxis: {
      type: 'log',
      name: 'share that took at least as long',
      nameTextStyle: { align: 'left' },
      axisLabel: { formatter: (share) => `${Number((100 * share).toPrecision(3))} %` },
    },
    series,
  });
}
