/** Drawing the numbers that a program prints; uPlot is loaded when the first plot is opened. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { button, h, saveAs } from "./dom";
import { Lines, numbersIn } from "./numbers";
import { texts } from "./texts";

const POINTS_MAX = 100_000;
const SERIES_MAX = 30;
const LEGEND_PX = 24;
const COLOURS = ["#0b8f87", "#d9480f", "#4263eb", "#a8329e", "#8a6d00", "#2b8a3e", "#c2255c", "#5c6773"];

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] ?? "";
}

export class Plot {
  readonly element: HTMLElement;

  readonly #place = h("div", { className: "chart", role: "img", aria: { label: texts.plot.label } });
  readonly #hint = h("p", { className: "space" }, texts.plot.hint);
  readonly #pause: HTMLButtonElement;
  readonly #lines = new Lines();
  #names: string[] = [];
  #data: (number | null)[][] = [[]];
  /** When each line came; lines come in bursts, so that their places make the better axis. */
  #seconds: number[] = [];
  #count = 0;
  #started_ms: number | undefined;
  #chart: uPlot | undefined;
  #paused = false;
  #drawing = false;

  constructor(onClose: () => void) {
    this.#pause = button(texts.plot.pause, () => this.#setPaused(!this.#paused));
    this.#pause.setAttribute("aria-pressed", "false");
    this.element = h("section", { className: "panel plot", aria: { label: texts.plot.label } },
      h("div", { className: "tools", role: "toolbar", aria: { label: texts.plot.label } },
        this.#pause,
        button(texts.plot.zoomIn, () => this.#look(0.5)),
        button(texts.plot.zoomOut, () => this.#look(2)),
        button(texts.plot.earlier, () => this.#look(1, -0.5)),
        button(texts.plot.later, () => this.#look(1, 0.5)),
        button(texts.plot.clear, () => this.#clear()),
        button(texts.plot.csv, () => this.#saveCsv()),
        button(texts.plot.png, () => this.#savePng()),
        button(texts.plot.close, onClose)),
      this.#hint, this.#place);
    new ResizeObserver(() => {
      this.#chart?.setSize(this.#size());
      this.#drawSoon(); // it may have been out of sight
    }).observe(this.#place);
  }

  /** Take what the board has printed. */
  receive(text: string): void {
    for (const line of this.#lines.next(text)) {
      const numbers = numbersIn(line);
      if (numbers) this.#add(numbers);
    }
  }

  #add(numbers: Map<string, number>): void {
    const now_ms = performance.now();
    this.#started_ms ??= now_ms;
    const [places] = this.#data;
    for (const name of numbers.keys()) {
      if (this.#names.includes(name) || this.#names.length >= SERIES_MAX) continue;
      this.#names.push(name);
      this.#data.push(new Array<null>(this.#seconds.length).fill(null));
      this.#chart?.destroy();
      this.#chart = undefined;
    }
    this.#seconds.push((now_ms - this.#started_ms) / 1000);
    places?.push(this.#count++);
    for (const [at, name] of this.#names.entries()) this.#data[at + 1]?.push(numbers.get(name) ?? null);
    if (this.#seconds.length > POINTS_MAX) {
      this.#data = this.#data.map((column) => column.slice(POINTS_MAX / 2));
      this.#seconds = this.#seconds.slice(POINTS_MAX / 2);
    }
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#drawing || this.#paused) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (this.#place.clientWidth) this.#draw();
    });
  }

  #draw(): void {
    if (!this.#count) return;
    this.#hint.hidden = true;
    this.#place.dataset["points"] = String(this.#seconds.length);
    if (this.#chart) this.#chart.setData(this.#data as uPlot.AlignedData);
    else this.#chart = new uPlot(this.#options(), this.#data as uPlot.AlignedData, this.#place);
  }

  #options(): uPlot.Options {
    const ink = getComputedStyle(this.element).color;
    const axis = { stroke: ink, grid: { stroke: "#8886", width: 1 }, ticks: { stroke: "#8886" } };
    return {
      ...this.#size(),
      scales: { x: { time: false } },
      axes: [axis, axis],
      series: [
        { label: texts.plot.line },
        ...this.#names.map((label, at) => ({ label, stroke: colour(at), width: 1.5, spanGaps: true })),
      ],
      hooks: {
        // To zoom in is to look at something: it must not run away meanwhile.
        setSelect: [(chart) => chart.select.width > 0 && this.#setPaused(true)],
        setScale: [({ scales }) => {
          const [min, max] = [scales["x"]?.min ?? 0, scales["x"]?.max ?? 0].map(Math.round) as [number, number];
          this.#place.setAttribute("aria-label", texts.plot.shows(this.#names, min, max));
        }],
      },
    };
  }

  /** Zoom by a factor, and move by a part of what is seen: for those who have no mouse. */
  #look(factor: number, part = 0): void {
    const [places] = this.#data;
    const { min = 0, max = 0 } = this.#chart?.scales["x"] ?? {};
    const [first, last] = [places?.[0] ?? 0, places?.at(-1) ?? 0];
    const width = Math.min((max - min) * factor, last - first);
    const from = (min + max - width) / 2 + part * (max - min);
    const start = Math.max(first, Math.min(from, last - width));
    this.#setPaused(true);
    this.#chart?.setScale("x", { min: start, max: start + width });
  }

  #size(): { width: number; height: number } {
    const legend = this.#place.querySelector<HTMLElement>(".u-legend")?.offsetHeight ?? 30;
    return { width: this.#place.clientWidth, height: Math.max(120, this.#place.clientHeight - legend) };
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#pause.setAttribute("aria-pressed", String(paused));
    this.#drawSoon();
  }

  #clear(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
    this.#names = [];
    this.#data = [[]];
    this.#seconds = [];
    this.#count = 0;
    this.#started_ms = undefined;
    this.#hint.hidden = false;
    this.#place.dataset["points"] = "0";
    this.#setPaused(false);
  }

  #saveCsv(): void {
    const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const rows = [[texts.plot.seconds, ...this.#names].map(quoted).join(",")];
    const columns = [this.#seconds, ...this.#data.slice(1)];
    for (const at of this.#seconds.keys()) rows.push(columns.map((column) => column[at] ?? "").join(","));
    saveAs("plot.csv", new Blob([rows.join("\n"), "\n"], { type: "text/csv" }));
  }

  /** The picture with its background, and the names in their colours above it. */
  #savePng(): void {
    const drawn = this.#chart?.ctx.canvas;
    const above = LEGEND_PX * devicePixelRatio;
    const picture = h("canvas", { width: drawn?.width ?? 0, height: (drawn?.height ?? 0) + above });
    const context = picture.getContext("2d");
    if (!drawn || !context) return;
    context.fillStyle = getComputedStyle(this.element).backgroundColor;
    context.fillRect(0, 0, picture.width, picture.height);
    context.drawImage(drawn, 0, above);
    context.font = `${above / 2}px sans-serif`;
    let x = above / 2;
    for (const [at, name] of this.#names.entries()) {
      context.fillStyle = colour(at);
      context.fillText(name, x, above * 0.7);
      x += context.measureText(name).width + above / 2;
    }
    picture.toBlob((file) => file && saveAs("plot.png", file));
  }
}
