// Draws Grafana's JSON: rows, stats, time series and tables, as far as these boards use them. State is in the address.
"use strict";

const BOARDS = ["fleet", "service", "pool", "origin"];
const COLORS = ["#7eb26d", "#d9a520", "#3eb0cc", "#ef843c", "#e24d42", "#3f8fd6", "#ba43a9", "#8f7bc9", "#508642", "#cca300"];
const RANGES = {"15 minutes": 900, "1 hour": 3600, "6 hours": 21600, "24 hours": 86400};
const RUNBOOK = "/runbook.md";
const address = new URLSearchParams(location.search);

function element(tag, attributes = {}, ...children) {
    const made = tag === "svg" || tag.startsWith("svg:")
        ? document.createElementNS("http://www.w3.org/2000/svg", tag.replace("svg:", "")) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
}

async function ask(path, parameters) {
    const response = await fetch(`/api/v1/${path}?` + new URLSearchParams(parameters));
    const found = await response.json();
    if (found.status !== "success") throw new Error(found.error ?? response.status);
    return found.data.result;
}

// Numbers as people read them.
function shown(value, unit) {
    if (Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
    const digits = (number) => number === 0 ? "0"
        : Math.abs(number) >= 100 ? number.toLocaleString("en", {maximumFractionDigits: 0})
        : String(+number.toPrecision(3));
    // Steps: from which value on, the unit, and its size where that is another.
    const scaled = (steps) => {
        const [from, name, size = from] = steps.findLast(([from]) => Math.abs(value) >= from) ?? steps[0];
        return `${digits(value / size)} ${name}`;
    };
    switch (unit) {
    case "percentunit": return `${digits(value * 100)} %`;
    case "s": return value === 0 ? "0 s" : scaled([[1e-6, "µs"], [1e-3, "ms"], [1, "s"], [120, "min", 60], [7200, "h", 3600],
        [172800, "d", 86400]]);
    case "bytes": return scaled([[1, "B"], [1024, "KiB"], [1024 ** 2, "MiB"], [1024 ** 3, "GiB"]]);
    case "reqps": return `${digits(value)} req/s`;
    case "ops": return `${digits(value)} /s`;
    default: return digits(value);
    }
}

// The colour of the last step that a value has reached; none where no step but the first has a value.
function grade(value, thresholds) {
    const steps = thresholds?.steps ?? [];
    if (steps.length < 2 || Number.isNaN(value)) return "";
    return steps.findLast((step) => step.value === null || value >= step.value)?.color ?? "";
}

class Board {
    constructor(name, json) {
        this.name = name;
        this.json = json;
        this.range = +address.get("range") || 3600;
        this.end = Math.floor(Date.now() / 1000);
        this.step = Math.max(5, Math.ceil(this.range / 240));
        this.variables = json.templating.list.filter((variable) => variable.type === "query");
        this.values = {__rate_interval: `${Math.max(60, this.step + 15)}s`};
        for (const variable of this.variables) {
            const chosen = address.getAll(`var-${variable.name}`).filter((value) => value && !value.startsWith("$"));
            const escaped = chosen.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\", "\\\\")
                .replaceAll('"', '\\"'));
            this.values[variable.name] = escaped.length ? escaped.join("|") : variable.allValue;
        }
    }

    filled(expr) {
        return expr.replace(/\$(\w+)/g, (whole, name) => this.values[name] ?? whole);
    }

    instant(expr) {
        return ask("query", {query: this.filled(expr), time: this.end});
    }

    series(expr) {
        return ask("query_range", {query: this.filled(expr), start: this.end - this.range, end: this.end, step: this.step});
    }

    async choices(variable) {
        const [, selector, label] = variable.definition.match(/^label_values\((.*), (\w+)\)$/);
        const found = await this.instant(`group by (${label}) (${selector})`);
        return found.map((row) => row.metric[label]).filter(Boolean).sort();
    }

    // When limits changed, processes started and alerts fired.
    async marks() {
        const marks = [];
        await Promise.all(this.json.annotations.list.map(async (annotation) => {
            for (const row of await this.series(annotation.expr)) {
                const text = annotation.titleFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => row.metric[label] ?? "");
                const times = annotation.useValueForTime ? new Set(row.values.map(([, value]) => +value / 1000))
                    : [row.values[0][0]];
                for (const time of times) {
                    if (time > this.end - this.range) marks.push({time, text, color: annotation.iconColor});
                }
            }
        }));
        return marks;
    }
}

function named(legend, metric) {
    const name = legend.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? "").trim();
    return name || Object.values(metric).join(" ") || "value";
}

// The distance between the lines of a grid: 1, 2, 2.5 or 5 of a unit, its multiples by 10, so that three or four lines reach
// the highest value.
function gridStep(highest, unit) {
    const base = unit === "bytes" ? 1024 ** Math.max(0, Math.floor(Math.log2(highest) / 10))
        : unit === "s" && highest >= 7200 ? 3600 : unit === "s" && highest >= 120 ? 60 : 1;
    const least = highest / base / 4, power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 2.5, 5, 10].find((factor) => factor * power >= least * 0.9999) * power * base;
}

function chart(lines, {width, height, from, range, unit, top, marks = []}) {
    const left = 54, bottom = 14, inner = height - bottom - 10;
    const all = lines.flatMap((line) => line.points.map((point) => point[1])).filter(Number.isFinite);
    const highest = top ?? (Math.max(...all, 0) || 1);
    const step = gridStep(highest, unit), count = Math.ceil(highest / step - 0.02), high = step * count;
    const x = (time) => left + (width - left - 2) * (time - from) / range;
    const y = (value) => 8 + inner * (1 - value / high);
    const svg = element("svg", {width, height, role: "img"});
    for (let line = 0; line <= count; line++) {
        const value = step * line;
        svg.append(element("svg:line", {class: "grid", x1: left, x2: width, y1: y(value), y2: y(value)}));
        svg.append(element("svg:text", {x: 0, y: y(value) + 3}, shown(value, unit)));
    }
    for (let part = 0; part <= 3; part++) {
        const time = from + range * part / 4;
        const text = new Date(time * 1000).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
        svg.append(element("svg:text", {x: x(time), y: height - 2}, text));
    }
    for (const mark of marks) {
        const line = element("svg:line", {x1: x(mark.time), x2: x(mark.time), y1: 8, y2: 8 + inner, stroke: mark.color,
            "stroke-dasharray": "2 3", opacity: 0.7});
        line.append(element("svg:title", {}, mark.text));
        svg.append(line);
    }
    for (const line of lines) {
        let path = "", before = null;
        for (const [time, value] of line.points) {
            if (!Number.isFinite(value)) { before = null; continue; }
            path += `${before === null || time - before > line.gap ? "M" : "L"}${x(time).toFixed(1)},${y(value).toFixed(1)}`;
            before = time;
        }
        svg.append(element("svg:path", {d: path, fill: "none", stroke: line.color, "stroke-width": 1.5,
            ...(line.dashed ? {"stroke-dasharray": "6 4"} : {})}));
    }
    return svg;
}

async function drawStat(board, panel, body) {
    const {unit, thresholds} = panel.fieldConfig.defaults;
    const [row] = await board.series(panel.targets[0].expr);
    const points = (row?.values ?? []).map(([time, value]) => [time, +value]);
    const last = points.findLast(([, value]) => !Number.isNaN(value));
    if (!last) return body.append(element("div", {class: "value none"}, "no data"));
    body.append(element("div", {class: `value ${grade(last[1], thresholds)}`}, shown(last[1], unit)));
    body.style.display = "flex";
}

async function drawSeries(board, panel, body, marks) {
    const {unit, max, custom} = panel.fieldConfig.defaults;
    const found = await Promise.all(panel.targets.map((target) => board.series(target.expr)));
    const dashed = new Set(panel.fieldConfig.overrides.map((override) => override.matcher.options));
    const lines = found.flatMap((rows, number) => rows.map((row) => ({
        name: named(panel.targets[number].legendFormat, row.metric),
        points: row.values.map(([time, value]) => [time, +value]), gap: board.step * 1.5,
    })));
    if (!lines.length) return body.append(element("div", {class: "none"}, "no data"));
    const lastOf = (line) => line.points.at(-1)[1] || -1;
    if (panel.targets.length === 1) lines.sort((a, b) => lastOf(b) - lastOf(a));
    lines.forEach((line, number) => Object.assign(line, dashed.has(line.name)
        ? {dashed: true, color: "var(--red)"} : {color: COLORS[number % COLORS.length]}));
    const legend = element("div", {class: "legend"}, ...lines.map((line) => {
        const last = line.points.at(-1)[1];
        return element("span", {}, element("b", {style: `color:${line.color}`}, "▬ "), `${line.name} `, shown(last, unit));
    }));
    if (custom.stacking.mode === "normal") {
        const sums = {};
        for (const line of lines.filter((line) => !line.dashed)) {
            line.points = line.points.map(([time, value]) => [time, sums[time] = (sums[time] ?? 0) + (value || 0)]);
        }
    }
    body.append(chart(lines, {width: body.clientWidth, height: Math.max(60, body.clientHeight - 40), unit, top: max,
        from: board.end - board.range, range: board.range, marks}), legend);
}

function linked(board, value, links, fields) {
    const link = links?.[0];
    if (!link || !value) return document.createTextNode(value);
    if (link.title === "Runbook") return element("a", {href: RUNBOOK, title: link.title}, value);
    let url = link.url.replace(/\$\{__data\.fields\.(\w+)\}/g, (_, label) => encodeURIComponent(fields[label] ?? ""))
        .replace(/&?\$\{[^}]*\}/g, "");
    const other = url.match(/^\/d\/poolscope-(\w+)\?(.*)$/);
    if (other) url = `?board=${other[1]}&range=${board.range}&${other[2].replace(/&?var-\w+=(?=&|$)/g, "")}`;
    else url = decodeURIComponent(url);
    if (!other && !/^https?:\/\//.test(url)) return document.createTextNode(value);
    return element("a", {href: url, title: link.title, rel: "noreferrer"}, value);
}

async function drawTable(board, panel, body) {
    const found = await Promise.all(panel.targets.map((target) => board.instant(target.expr)));
    const renamed = panel.transformations.find((step) => step.id === "organize").options.renameByName;
    const columns = panel.targets.map((target) => renamed[panel.targets.length > 1 ? `Value #${target.refId}` : "Value"]);
    const sort = panel.transformations.find((step) => step.id === "sortBy").options.sort[0];
    const properties = (name, id) => panel.fieldConfig.overrides.find((override) => override.matcher.options === name)
        ?.properties.find((property) => property.id === id)?.value;
    const rows = new Map();
    found.forEach((series, number) => series.forEach((row) => {
        delete row.metric.__name__;
        const key = JSON.stringify(Object.entries(row.metric).sort());
        if (!rows.has(key)) rows.set(key, {labels: row.metric, values: {}});
        rows.get(key).values[columns[number]] = +row.value[1];
    }));
    if (!rows.size) return body.append(element("div", {class: "none"}, "none"));
    const labels = [...new Set([...rows.values()].flatMap((row) => Object.keys(row.labels)))];
    const compare = columns.includes(sort.field) ? (a, b) => (a.values[sort.field] ?? -1) - (b.values[sort.field] ?? -1)
        : (a, b) => (a.labels[sort.field] ?? "").localeCompare(b.labels[sort.field] ?? "");
    const ordered = [...rows.values()].sort((a, b) => sort.desc ? compare(b, a) : compare(a, b));
    const head = element("tr", {}, ...labels.map((label) => element("th", {}, label)),
        ...columns.map((name) => element("th", {class: "number"}, name)));
    const lines = ordered.slice(0, 200).map((row) => element("tr", {},
        ...labels.map((label) => element("td", {}, linked(board, row.labels[label] ?? "", properties(label, "links"), row.labels))),
        ...columns.map((name) => {
            const value = row.values[name];
            return element("td", {class: `number ${value === undefined ? "" : grade(value, properties(name, "thresholds"))}`},
                value === undefined ? "" : shown(value, properties(name, "unit")));
        })));
    body.append(element("table", {}, head, ...lines));
}

function go(changes) {
    for (const [name, value] of Object.entries(changes)) value ? address.set(name, value) : address.delete(name);
    location.search = address;
}

async function drawHeader(board) {
    const header = document.querySelector("header");
    const kept = new URLSearchParams(address);
    for (const name of BOARDS) {
        kept.set("board", name);
        header.append(element("a", {href: `?${kept}`, ...(name === board.name ? {"aria-current": "page"} : {})}, name));
    }
    header.append(element("a", {href: RUNBOOK}, "runbook"));
    const known = Object.values(RANGES).includes(board.range) ? RANGES : {[shown(board.range, "s")]: board.range, ...RANGES};
    const ranges = Object.entries(known).map(([name, seconds]) =>
        element("option", {value: seconds, ...(seconds === board.range ? {selected: ""} : {})}, name));
    const range = element("select", {}, ...ranges);
    range.onchange = () => go({range: range.value});
    header.append(range);
    const choices = await Promise.all(board.variables.map((variable) => board.choices(variable).catch(() => [])));
    board.variables.forEach((variable, number) => {
        const chosen = address.get(`var-${variable.name}`) ?? "";
        if (!choices[number].length && !chosen) return;
        const values = [...new Set([...choices[number], ...(chosen ? [chosen] : [])])];
        const select = element("select", {}, element("option", {value: ""}, "all"), ...values.map((value) =>
            element("option", {value, ...(value === chosen ? {selected: ""} : {})}, value)));
        select.onchange = () => go({[`var-${variable.name}`]: select.value});
        header.append(element("label", {}, `${variable.label} `, select));
    });
}

async function draw() {
    const name = BOARDS.includes(address.get("board")) ? address.get("board") : "fleet";
    const board = new Board(name, await (await fetch(`/boards/${name}.json`)).json());
    document.title = board.json.title;
    const main = document.querySelector("main");
    const header = drawHeader(board);
    const marks = board.marks().catch(() => []);
    const kinds = {stat: drawStat, timeseries: drawSeries, table: drawTable};
    await Promise.all(board.json.panels.map(async (panel) => {
        const {x, y, w, h} = panel.gridPos;
        const body = element("div", {class: "body"});
        main.append(element("section", {class: panel.type, title: panel.description ?? "",
            style: `grid-area:${y + 1}/${x + 1}/span ${h}/span ${w}`}, element("h2", {}, panel.title), body));
        try {
            await kinds[panel.type]?.(board, panel, body, panel.type === "timeseries" ? await marks : []);
        } catch (error) {
            body.replaceChildren(element("div", {class: "error"}, String(error.message)));
        }
    }));
    await header;
    document.body.dataset.ready = "true";
}

draw();
setInterval(() => document.hidden || location.reload(), 60_000);
