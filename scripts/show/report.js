// SPDX-License-Identifier: GPL-2.0-only
// Filter, sort and draw the rows. The address keeps the state:
// #verdict=manual&rule=..&subsystem=..&text=..&sort=-place&folders=-3
"use strict";
(() => {
	const STEP = 50;
	const KEYS = ["verdict", "rule", "subsystem", "text"];
	const ORDER = ["unread", "manual", "high", "moderate", "low",
		"converted", "kept", "api"];
	const { rows, words } = JSON.parse(
		document.getElementById("data").textContent);
	const find = id => document.getElementById(id);
	const table = find("rows"), more = find("more"), form = find("filter");
	const state = { verdict: "", rule: "", subsystem: "", text: "",
		sort: "urgency", folders: "0" };
	let shown = [], drawn = 0;

	function make(name, attributes, ...children) {
		const node = document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {}))
			node.setAttribute(key, value);
		node.append(...children.filter(child => child !== null));
		return node;
	}

	// --- which rows --------------------------------------------------

	function words_of(row) {
		if (row.hay === undefined) {
			const places = (row.sites || []).flatMap(site => [
				`${row.f}:${site.n}:${site.c}`, site.t, site.fn || "",
				site.why || "", ...(site.count || [])]);
			row.hay = [`${row.f}:${row.n}:${row.c || ""}`, row.fn, row.m,
				row.do || "", row.v, row.src || "", row.code || "",
				...row.r, ...(row.ask || []), ...places
			].join("\n").toLowerCase();
		}
		return row.hay;
	}

	// file:1 must not find file:12.
	function has(hay, term) {
		if (!/:\d+$/.test(term))
			return hay.includes(term);
		for (let at = hay.indexOf(term); at >= 0;
		     at = hay.indexOf(term, at + 1))
			if (!/\d/.test(hay[at + term.length] || ""))
				return true;
		return false;
	}

	function fits(row) {
		if (state.verdict === "check") {
			if (row.v !== "converted" || !row.ask.length)
				return false;
		} else if (state.verdict ? row.v !== state.verdict :
			   row.v === "api") {
			return false;
		}
		if (state.rule && !row.r.includes(state.rule))
			return false;
		if (state.subsystem && row.s !== state.subsystem)
			return false;
		const hay = state.text && words_of(row);
		return state.text.toLowerCase().split(/\s+/).every(
			term => !term || has(hay, term));
	}

	function compare(one, two) {
		const key = state.sort.replace(/^-/, "");
		const turn = state.sort.startsWith("-") ? -1 : 1;
		const text = (a, b) => a < b ? -1 : a > b ? 1 : 0;
		const place = text(one.f, two.f) || one.n - two.n;
		if (key === "place")
			return turn * place;
		if (key === "rule")
			return turn * text(one.r[0], two.r[0]) || place;
		return turn * (ORDER.indexOf(one.v) - ORDER.indexOf(two.v)) ||
			(two.ask || []).length - (one.ask || []).length || place;
	}

	// --- draw --------------------------------------------------------

	function where(row) {
		const place = `${row.f}:${row.n}`;
		const link = make("a", {
			href: "#text=" + encodeURIComponent(place) +
				(row.v === "api" ? "&verdict=api" : "") },
			// A long path breaks behind a slash first.
			...place.split("/").flatMap((part, at) =>
				at ? ["/", make("wbr"), part] : [part]));
		return make("th", { scope: "row", role: "rowheader" }, link,
			row.fn ? make("div", { class: "fn" }, row.fn + "()") : null);
	}

	function said(name, title, lines) {
		return make("div", { class: name }, make("b", {}, title),
			...lines.map(line => make("p", {}, line)));
	}

	function what(row) {
		const cell = make("td", { role: "cell" }, make("p", {}, row.m));
		if (row.do)
			cell.append(said("do", "What to do", [row.do]));
		if (row.ask && row.ask.length)
			cell.append(said("ask", "To check", row.ask));
		const sites = row.sites || [];
		if (row.d && sites.length) {
			const list = make("ul", { class: "sites" });
			for (const site of sites) {
				const item = make("li", {}, `line ${site.n}: `,
					make("code", {}, site.t), " ");
				if (site.count)
					item.append("count ", make("code", {}, site.count[0]),
						" is ", make("b", {}, site.count[1]), ": ",
						site.count[2]);
				else
					item.append(site.why);
				list.append(item);
			}
			cell.append(list);
		} else if (sites.length > 1) {
			cell.append(make("p", { class: "more-sites" },
				`${sites.length} sites: lines ` + [...new Set(
					sites.map(site => site.n))].join(", ")));
		}
		if (row.src || (row.path || []).length)
			cell.append(path(row));
		return cell;
	}

	// Where the list is mapped, the finding, where it is unmapped.
	function path(row) {
		const steps = (row.path || []).map(
			([line, , text, source]) => ({ line, text, source }));
		steps.push({ line: row.n, text: "The finding", source: row.src,
			here: true });
		steps.sort((one, two) => one.line - two.line);
		const list = make("ol", { class: "path", role: "list" });
		for (const step of steps)
			list.append(make("li", step.here ? { class: "here" } : {},
				steps.length > 1 ? `Line ${step.line}: ${step.text}` :
					null,
				make("pre", {}, step.source.trim())));
		return list;
	}

	// The part of two lines that differs, in whole words.
	function marks(old, fresh) {
		const cut = /\w+|\s+|./gsu;
		const one = old.match(cut) || [], two = fresh.match(cut) || [];
		let head = 0, tail = 0;
		const most = Math.min(one.length, two.length);
		while (head < most && one[head] === two[head])
			head++;
		while (tail < most - head &&
		       one[one.length - 1 - tail] === two[two.length - 1 - tail])
			tail++;
		const piece = (list, name) => {
			const middle = list.slice(head, list.length - tail).join("");
			return [list.slice(0, head).join(""),
				middle ? make(name, {}, middle) : "",
				list.slice(list.length - tail).join("")];
		};
		if (head + tail === 0)
			return [[old], [fresh]];
		return [piece(one, "del"), piece(two, "ins")];
	}

	function diff(row) {
		const body = make("tbody");
		for (const [kind, old_no, old, new_no, fresh] of row.d) {
			const [left, right] = kind === "c" ? marks(old, fresh) :
				[[old], [kind === "s" ? old : fresh]];
			const side = (no, text, name, sign, second) => {
				const look = !no ? "none" : kind === "s" ? "same" : name;
				const mark = look === name ? sign : " ";
				return [make("td", { class: `no ${look} ${second ?
						"no2" : ""}` }, no ? String(no) : ""),
					make("td", { class: `${look} ${second ?
						"side2" : ""}` },
					make("pre", {}, ...(no ? [mark, ...text] : [])))];
			};
			body.append(make("tr", {},
				...side(old_no, left, "old", "-", false),
				...side(new_no, right, "new", "+", true)));
		}
		const head = (text, name) => make("th",
			{ scope: "col", class: name }, text);
		return make("table", { class: "diff" },
			make("caption", { class: "hidden" },
				`Edit of ${row.f}, line ${row.n}: before and after`),
			make("colgroup", {}, make("col", { class: "no" }), make("col"),
				make("col", { class: "no" }), make("col")),
			make("thead", {}, make("tr", {}, head("Line", "no"),
				head("Before", ""), head("Line", "no"),
				head("After", ""))), body);
	}

	function draw_one(row) {
		const verdict = make("td", { role: "cell" }, make("span",
			{ class: "chip " + row.v }, words[row.v]));
		if (row.v === "converted" && row.ask.length)
			verdict.append(" ", make("span", { class: "chip check" },
				"to check"));
		const body = make("tbody", { class: row.v, role: "rowgroup" },
			make("tr", { role: "row" }, verdict, where(row),
				make("td", { class: "rule", role: "cell" },
					row.r.join(", ")), what(row)));
		if (row.d)
			body.append(make("tr", { role: "row" }, make("td",
				{ colspan: "4", role: "cell" }, diff(row))));
		return body;
	}

	function draw(count) {
		const upto = Math.min(shown.length, drawn + count);
		const batch = document.createDocumentFragment();
		for (; drawn < upto; drawn++)
			batch.append(draw_one(shown[drawn]));
		table.append(batch);
		more.hidden = drawn === shown.length;
	}

	function start() {
		shown = rows.filter(fits).sort(compare);
		for (const body of [...table.tBodies])
			body.remove();
		drawn = 0;
		draw(STEP);
		const all = rows.filter(row => row.v !== "api").length;
		find("count").textContent = shown.length === all ?
			`${all} rows` : `${shown.length} of ${all} rows`;
		for (const button of table.tHead.querySelectorAll("button"))
			mark(button, state.sort, button.dataset.sort);
	}

	function mark(button, now, key) {
		button.parentNode.setAttribute("aria-sort", now === key ?
			"ascending" : now === "-" + key ? "descending" : "none");
	}

	// --- subsystems --------------------------------------------------

	function sort_folders() {
		const folders = find("folders");
		if (!folders)
			return;
		const column = Number(state.folders.replace("-", "")) || 0;
		const turn = state.folders.startsWith("-") ? -1 : 1;
		const body = folders.tBodies[0];
		const cell = row => row.cells[column] ?
			row.cells[column].textContent : "";
		const name = row => row.cells[0].textContent;
		const text = (a, b) => a < b ? -1 : a > b ? 1 : 0;
		body.append(...[...body.rows].sort((one, two) => turn * (column ?
			cell(one) - cell(two) : text(name(one), name(two))) ||
			text(name(one), name(two))));
		for (const button of folders.tHead.querySelectorAll("button"))
			mark(button, state.folders, button.dataset.column);
	}

	// --- the address -------------------------------------------------

	function read() {
		if (location.hash.length > 1 && !location.hash.includes("="))
			return;
		const given = new URLSearchParams(location.hash.slice(1));
		for (const key of KEYS)
			state[key] = given.get(key) || "";
		state.sort = given.get("sort") || "urgency";
		state.folders = given.get("folders") || "0";
		for (const key of KEYS)
			form.elements[key].value = state[key];
		// A name that no row has stays in the filter: nothing fits it.
		start();
		sort_folders();
	}

	function write() {
		const kept = new URLSearchParams();
		for (const key of KEYS)
			if (state[key])
				kept.set(key, state[key]);
		if (state.sort !== "urgency")
			kept.set("sort", state.sort);
		if (state.folders !== "0")
			kept.set("folders", state.folders);
		history.replaceState(null, "", "#" + kept);
		start();
		sort_folders();
	}

	let waiting = 0;
	form.addEventListener("input", () => {
		clearTimeout(waiting);
		waiting = setTimeout(() => {
			for (const key of KEYS)
				state[key] = form.elements[key].value;
			write();
		}, 120);
	});
	form.addEventListener("submit", event => event.preventDefault());
	form.addEventListener("reset", () => {
		for (const key of KEYS)
			state[key] = "";
		write();
	});
	document.addEventListener("click", event => {
		const node = event.target.closest("[data-sort], [data-column], " +
			"[data-go], a[href^='#']");
		if (!node)
			return;
		if (node.dataset.sort) {
			const key = node.dataset.sort;
			state.sort = state.sort === key ? "-" + key : key;
			write();
		} else if (node.dataset.column) {
			// Of a number the greatest is of interest first.
			const key = node.dataset.column;
			const first = key === "0" ? key : "-" + key;
			state.folders = state.folders !== first ? first :
				key === "0" ? "-0" : key;
			write();
		} else if (node.dataset.go) {
			event.preventDefault();
			find(node.dataset.go).focus();
		} else {
			find("rows-head").scrollIntoView();
		}
	});
	more.addEventListener("click", () => draw(STEP));
	new IntersectionObserver(seen => {
		if (seen.some(one => one.isIntersecting) && !more.hidden)
			draw(STEP);
	}, { rootMargin: "600px" }).observe(more);
	addEventListener("beforeprint", () => draw(shown.length));
	addEventListener("hashchange", read);
	read();
})();
