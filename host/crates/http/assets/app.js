'use strict';
// Everything the API answers may have been written by a plugin: it reaches the page as text, never as markup.

const MOST_EVENTS = 200;
const byId = (id) => document.getElementById(id);

/** An element; children are elements or texts. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'on') for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else if (name in node && typeof value === 'boolean') node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

class Problem extends Error {
  constructor(view) {
    super(view.message);
    this.view = view;
  }
}

async function api(path, body) {
  const request = { headers: { accept: 'application/json' } };
  if (body !== undefined) {
    request.method = 'POST';
    request.headers['content-type'] = 'application/json';
    request.headers['x-patchbay-actor'] = 'dashboard';
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch('/api/v1/' + path, request);
  } catch {
    throw new Problem({ code: 'offline', message: 'the host does not answer', hint: 'start it with `patchbay up`' });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  if (answer && answer.code) throw new Problem(answer);
  throw new Problem({ code: String(response.status), message: 'the answer is not understood', hint: 'look at the host’s log' });
}

function problemText(error) {
  const view = error instanceof Problem ? error.view : { code: 'page', message: String(error), hint: 'reload the page' };
  return [el('strong', {}, view.code), ' ' + view.message, el('br'), 'hint: ' + (view.hint || '–'),
    view.requestId ? el('small', { class: 'quiet' }, ' (request ' + view.requestId + ')') : null];
}

// ---- words for numbers ----

function size(bytes) {
  if (bytes === null) return '–';
  for (const [unit, name] of [[1 << 30, 'GiB'], [1 << 20, 'MiB'], [1 << 10, 'KiB']]) {
    if (bytes >= unit) return (bytes / unit).toFixed(1) + ' ' + name;
  }
  return bytes + ' B';
}

function span(millis) {
  const seconds = Math.floor(millis / 1000);
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d) return d + 'd ' + h + 'h';
  if (h) return h + 'h ' + m + 'm';
  return m ? m + 'm ' + s + 's' : s + 's';
}

const when = (millis) => new Date(millis).toLocaleString();
const clock = (millis) => new Date(millis).toLocaleTimeString();

// ---- showing ----

const shown = new Map();

/** Builds a part of the page anew when its content changed, and keeps the keyboard where it was. */
function show(id, content, build) {
  const text = JSON.stringify(content);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  const place = byId(id);
  const key = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  place.replaceChildren(...[build(content)].flat());
  if (key) for (const node of place.querySelectorAll('[data-key]')) if (node.dataset.key === key) node.focus();
}

function table(titles, rows) {
  const head = el('thead', {}, el('tr', {}, titles.map((title) => el('th', { scope: 'col' }, title))));
  const body = rows.map((cells) => el('tr', {}, cells.map((cell, at) => {
    const inside = el('span', {}, cell === '' || cell === null ? '–' : cell);
    return el('td', { 'data-label': titles[at], class: typeof cell === 'number' ? 'number' : null }, inside);
  })));
  return el('table', {}, head, el('tbody', {}, body));
}

function statusLine(status) {
  const unload = status.unload === 'unmap' ? 'drained versions are unmapped' : 'drained versions stay mapped';
  return ['Version ' + status.version, 'contract ' + status.contract, 'generation ' + status.generation,
    status.plugins + ' plugins', status.nodes + ' nodes', 'up ' + span(status.uptimeMillis), unload].join(' · ');
}

function pluginCard(plugin) {
  const name = plugin.name;
  const rows = plugin.revisions.map((revision) => {
    const target = 'r' + revision.revision;
    const label = revision.version + ' (' + target + ')';
    const isLive = revision.state === 'live';
    const blocked = revision.blockedBy ? ' · blocked: ' + revision.blockedBy.code + ' ' + revision.blockedBy.message : '';
    const act = (verb, text, why) => el('button', {
      type: 'button', 'data-key': [verb, name, target].join(' '), 'aria-label': text + ' ' + name + ' ' + label,
      on: { click: () => order(verb, text, name, target, why) },
    }, text);
    return [
      el('span', { title: revision.digest }, label),
      el('span', {}, el('span', { class: 'state ' + revision.state }, revision.state), blocked),
      revision.callsInFlight + ' now, ' + revision.callsTotal + ' in all',
      revision.pinnedBy.join(', '),
      size(revision.memoryBytes) + (revision.threads ? ', ' + revision.threads + ' threads' : ''),
      when(revision.admittedAt),
      el('span', { class: 'buttons' },
        isLive ? null : act('promote', 'Promote', 'Every call that begins after this goes to ' + label + '.'),
        revision.state === 'quarantined' ? null
          : act('quarantine', 'Quarantine', label + ' is taken out of service' + (isLive ? '; the version before serves.' : '.'))),
    ];
  });
  const back = el('button', {
    type: 'button', 'data-key': 'rollback ' + name, 'aria-label': 'Roll back ' + name, disabled: plugin.revisions.length < 2,
    on: { click: () => order('rollback', 'Roll back', name, null, 'What was live before becomes live again.') },
  }, 'Roll back');
  const needs = plugin.dependencies.map((needed) => needed.plugin + '@' + needed.range).join(', ');
  return el('article', { class: 'panel' },
    el('div', { class: 'title' }, el('h3', {}, name),
      el('span', { class: 'quiet' }, plugin.live ? 'live: ' + plugin.live + ' (r' + plugin.liveRevision + ')' : 'nothing is live'),
      el('span', { class: 'buttons' }, back)),
    plugin.description ? el('p', {}, plugin.description) : null,
    el('p', { class: 'quiet' }, [plugin.author && 'by ' + plugin.author, plugin.nodes.length + ' nodes', needs && 'needs ' + needs]
      .filter(Boolean).join(' · ')),
    table(['Version', 'State', 'Calls', 'Pinned by', 'Memory', 'Admitted', 'Change'], rows));
}

function pluginList(plugins) {
  return plugins.length ? plugins.map(pluginCard)
    : el('p', { class: 'quiet' }, 'None yet: put a plugin’s file into the watched directory.');
}

function rejectedList(files) {
  if (!files.length) return el('p', { class: 'quiet' }, 'No file was refused.');
  return el('div', { class: 'panel' }, table(['File', 'Code', 'Reason', 'Hint', 'When'],
    files.map((file) => [el('span', { class: 'mono' }, file.path), file.code, file.message, file.hint, when(file.at)])));
}

// ---- orders ----

function order(verb, text, plugin, target, why) {
  byId('order-title').textContent = text + ' ' + plugin + (target ? ' ' + target : '');
  byId('order-text').textContent = why;
  byId('order-go').textContent = text;
  byId('order-reason').value = '';
  byId('order-force').checked = false;
  byId('order-problem').hidden = true;
  byId('order-form').onsubmit = async (event) => {
    event.preventDefault();
    byId('order-go').disabled = true;
    try {
      const reason = byId('order-reason').value.trim() || null;
      await api('plugins/' + encodeURIComponent(plugin) + '/' + verb, { to: target, reason, force: byId('order-force').checked });
      byId('order').close();
      await refresh();
    } catch (error) {
      byId('order-problem').replaceChildren(...problemText(error).filter(Boolean));
      byId('order-problem').hidden = false;
    } finally {
      byId('order-go').disabled = false;
    }
  };
  byId('order').showModal();
  byId('order-reason').focus();
}

// ---- the catalogue ----

let catalogue = [];
let chosen = null;

function matches(node, words) {
  const text = [node.nodeType, node.plugin, node.category, node.description, ...node.tags, ...node.aliases].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

function listNodes() {
  const words = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = catalogue.filter((node) => matches(node, words));
  byId('found').textContent = found.length + ' of ' + catalogue.length + ' nodes';
  show('node-list', { found, chosen }, () => found.map((node) => el('li', {}, el('button', {
    type: 'button', 'data-key': 'node ' + node.nodeType, 'aria-current': node.nodeType === chosen ? 'true' : 'false',
    on: { click: () => { chosen = node.nodeType; listNodes(); showNode(node); } },
  }, node.nodeType, el('small', {}, [node.plugin + '@' + node.version, node.category].filter(Boolean).join(' · '))))));
}

function showNode(node) {
  shown.set('node-page', null);
  show('node-page', node, nodePage);
}

function nodePage(node) {
  const facts = [
    ['Plugin', node.plugin + '@' + node.version], ['Category', node.category], ['Also called', node.aliases.join(', ')],
    ['Tags', node.tags.join(', ')], ['Author', node.author], ['Effect', node.effect],
    ['Kind', [node.isAsync && 'async', node.stateful && 'stateful', node.experimental && 'experimental'].filter(Boolean).join(', ')],
    ['Time limit', node.timeoutMs === null ? '' : node.timeoutMs + ' ms'], ['May reach', node.capabilities.join(', ')],
    ['Secrets', node.secrets.join(', ')], ['Contract', node.hostApi],
  ].filter(([, value]) => value);
  return [
    el('h3', { tabindex: '-1' }, node.nodeType),
    el('p', {}, node.description),
    el('dl', { class: 'facts' }, facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    tryIt(node),
    el('details', {}, el('summary', {}, 'Schemas'), el('h4', {}, 'Parameters'), el('pre', {}, JSON.stringify(node.parameters, null, 2)),
      el('h4', {}, 'Result'), el('pre', {}, JSON.stringify(node.result, null, 2))),
  ];
}

/** What a parameter is when nobody said: its default, or the empty value of its type. */
function blank(schema) {
  if (schema === null || typeof schema !== 'object') return null;
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.enum) && schema.enum.length) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  return { string: '', integer: 0, number: 0, boolean: false, array: [], object: {} }[type] ?? null;
}

function firstInput(node) {
  if (node.examples.length) return node.examples[0].input;
  const properties = (node.parameters && node.parameters.properties) || {};
  return Object.fromEntries(node.required.map((name) => [name, blank(properties[name])]));
}

/** A control for one parameter, or null when only the JSON can hold it. */
function control(schema, id, changed) {
  if (schema === null || typeof schema !== 'object') return null;
  const say = (read) => (event) => { const value = read(event.target); if (value !== undefined) changed(value); };
  if (Array.isArray(schema.enum) && schema.enum.length <= 50) {
    const field = el('select', { id, on: { change: say((f) => schema.enum[f.selectedIndex]) } },
      schema.enum.map((choice) => el('option', {}, typeof choice === 'string' ? choice : JSON.stringify(choice))));
    return { field, set: (value) => { field.selectedIndex = schema.enum.findIndex((c) => JSON.stringify(c) === JSON.stringify(value)); } };
  }
  if (schema.type === 'boolean') {
    const field = el('input', { id, type: 'checkbox', on: { change: say((f) => f.checked) } });
    return { field, set: (value) => { field.checked = value === true; } };
  }
  if (schema.type === 'string') {
    const field = el('input', { id, type: 'text', autocomplete: 'off', on: { input: say((f) => f.value) } });
    return { field, set: (value) => { field.value = typeof value === 'string' ? value : ''; } };
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    const read = (f) => (f.value === '' || !Number.isFinite(Number(f.value)) ? undefined : Number(f.value));
    const field = el('input', { id, type: 'number', step: schema.type === 'integer' ? '1' : 'any', on: { input: say(read) } });
    return { field, set: (value) => { field.value = typeof value === 'number' ? String(value) : ''; } };
  }
  return null;
}

function tryIt(node) {
  const json = el('textarea', { id: 'try-json', rows: '7', spellcheck: 'false' });
  json.value = JSON.stringify(firstInput(node), null, 2);
  const parsed = () => { try { return JSON.parse(json.value); } catch { return undefined; } };
  const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
  const properties = Object.entries((node.parameters && node.parameters.properties) || {}).slice(0, 60);
  const controls = [];
  const fields = properties.flatMap(([name, schema], at) => {
    const id = 'try-' + at;
    const made = control(schema, id, (value) => {
      const input = parsed();
      // Entries, not assignment: a parameter may be called `__proto__`.
      const entries = Object.entries(isMap(input) ? input : {}).filter(([key]) => key !== name);
      json.value = JSON.stringify(Object.fromEntries([...entries, [name, value]]), null, 2);
    });
    if (!made) return [];
    controls.push([name, made]);
    const about = [node.required.includes(name) ? 'required' : '', schema.description || ''].filter(Boolean).join(' · ');
    return [el('label', { for: id }, name, about ? el('small', { class: 'quiet' }, ' ' + about) : null), made.field];
  });
  const fill = () => {
    const input = parsed();
    if (isMap(input)) for (const [name, made] of controls) made.set(Object.hasOwn(input, name) ? input[name] : undefined);
  };
  json.addEventListener('input', fill);
  fill();

  const tenant = el('input', { id: 'try-tenant', autocomplete: 'off' });
  const answer = el('div', { 'aria-live': 'polite' });
  const go = el('button', { type: 'submit', class: 'primary' }, 'Call');
  const examples = node.examples.slice(0, 20).map((example, at) => el('button', {
    type: 'button', on: { click: () => { json.value = JSON.stringify(example.input, null, 2); fill(); } },
  }, example.title || 'Example ' + (at + 1)));
  const call = async (event) => {
    event.preventDefault();
    const input = parsed();
    if (input === undefined) {
      answer.replaceChildren(el('p', { class: 'problem' }, 'The parameters are not JSON.'));
      return;
    }
    go.disabled = true;
    try {
      const reply = await api('call/' + encodeURIComponent(node.nodeType), { input, tenant: tenant.value.trim() || null });
      answer.replaceChildren(
        el('p', { class: 'quiet' }, reply.plugin + '@' + reply.version + ' (r' + reply.revision + ') in ' + reply.micros + ' µs'),
        el('pre', {}, JSON.stringify(reply.output, null, 2)));
    } catch (error) {
      answer.replaceChildren(el('p', { class: 'problem' }, ...problemText(error).filter(Boolean)));
    } finally {
      go.disabled = false;
    }
  };
  return el('form', { on: { submit: call } }, el('h4', {}, 'Try it'),
    examples.length ? el('div', { class: 'buttons', role: 'group', 'aria-label': 'Examples' }, examples) : null,
    fields, el('label', { for: 'try-json' }, 'Parameters as JSON'), json,
    el('label', { for: 'try-tenant' }, 'Tenant ', el('small', { class: 'quiet' }, 'the host’s default when empty')), tenant,
    el('div', { class: 'buttons' }, go), answer);
}

// ---- keeping up ----

let refreshing = null;

/** Loads everything; a second request while one runs is answered by the one after it. */
async function refresh() {
  if (refreshing) {
    refreshing.again = true;
    return refreshing.done;
  }
  const mine = { again: false, done: null };
  refreshing = mine;
  mine.done = load();
  await mine.done;
  refreshing = null;
  if (mine.again) await refresh();
}

async function load() {
  try {
    const [status, plugins, rejected, nodes] = await Promise.all(['status', 'plugins', 'rejected', 'nodes'].map((path) => api(path)));
    byId('notice').hidden = true;
    byId('status').textContent = statusLine(status);
    byId('rejected-count').textContent = String(rejected.length);
    byId('rejected-count').hidden = rejected.length === 0;
    show('plugin-list', plugins, pluginList);
    show('rejected-list', rejected, rejectedList);
    catalogue = nodes;
    listNodes();
  } catch (error) {
    byId('notice').replaceChildren(...problemText(error).filter(Boolean));
    byId('notice').hidden = false;
    byId('status').textContent = 'Not connected';
  }
}

let soon = null;
function refreshSoon() {
  if (soon === null) soon = setTimeout(() => { soon = null; refresh(); }, 250);
}

function addEvent(...content) {
  const feed = byId('feed');
  feed.prepend(el('li', {}, ...content));
  while (feed.children.length > MOST_EVENTS) feed.lastElementChild.remove();
}

function follow() {
  const source = new EventSource('/api/v1/events');
  source.onopen = () => { byId('feed-state').textContent = 'Live: newest first.'; refreshSoon(); };
  source.onerror = () => { byId('feed-state').textContent = 'Not connected; trying again.'; };
  source.onmessage = (message) => {
    let event;
    try { event = JSON.parse(message.data); } catch { return; }
    const about = [event.plugin, event.version, event.revision === null ? null : '(r' + event.revision + ')'].filter(Boolean).join(' ');
    addEvent(el('time', {}, clock(event.at)), ' ', el('span', { class: 'kind' }, event.kind), ' ',
      [about, event.code, event.message].filter(Boolean).join(' · '));
    refreshSoon();
  };
  source.addEventListener('lagged', () => {
    addEvent(el('span', { class: 'kind' }, 'some events were missed'), ' the host was faster than this page');
    refreshSoon();
  });
}

byId('search').addEventListener('input', listNodes);
byId('order-cancel').addEventListener('click', () => byId('order').close());
refresh();
follow();
// Counters of calls move without events.
setInterval(() => { if (!document.hidden) refresh(); }, 5000);
