// Runs once in a new context, before any expression: takes away what expressions must not have, guards what would
// run for long without being asked whether to stop, and freezes everything.
(function (call, names, isLate) {
  'use strict';
  const global = globalThis;
  const evaluate = global.eval;
  const define = Object.defineProperty;
  const hidden = (object, key, value) =>
    define(object, key, { value, writable: true, configurable: true, enumerable: false });

  // A look at the clock; the engine itself looks too seldom.
  let calls = 0;
  let late = false;
  const look = () => {
    if (late || (late = isLate())) throw new Error('the script ran too long');
  };
  hidden(global, '$$t', () => {
    if (late || (++calls & 15) === 0) look();
    return true;
  });
  const MANY = 2000;

  // The clock is the scope's.
  const Real = Date;
  let now = 0;
  function Clock(...parts) {
    if (new.target === undefined) return new Real(now).toString();
    return Reflect.construct(Real, parts.length ? parts : [now], new.target);
  }
  Clock.prototype = Real.prototype;
  hidden(Clock, 'now', () => now);
  hidden(Clock, 'parse', Real.parse);
  hidden(Clock, 'UTC', Real.UTC);
  hidden(Clock, 'name', 'Date');
  hidden(Clock, 'length', 7);
  hidden(Real.prototype, 'constructor', Clock);
  hidden(global, 'Date', Clock);
  const toISOString = Real.prototype.toISOString;
  const getTime = Real.prototype.getTime;

  // Lists may claim lengths that they have no items for, and the engine counts them without being interrupted.
  const LONGEST = 5e6;
  const isArray = Array.isArray;
  const checked = (list) => {
    if (list.length > MANY) look();
    if (typeof list === 'string') return;
    if (!isArray(list)) throw new TypeError('only lists have this method');
    if (list.length > LONGEST) throw new RangeError('the list is too long');
  };
  const apply = Reflect.apply;
  for (const name of Object.getOwnPropertyNames(Array.prototype)) {
    const method = Array.prototype[name];
    const cheap = ['constructor', 'length', 'push', 'pop', 'at', 'keys', 'entries', 'toString'];
    if (typeof method !== 'function' || cheap.includes(name)) continue;
    const guarded = {
      [name](...given) {
        checked(this);
        if (name === 'concat') for (const one of given) if (isArray(one)) checked(one);
        return apply(method, this, given);
      },
    }[name];
    hidden(Array.prototype, name, guarded);
  }
  const iterate = Array.prototype.values;
  hidden(Array.prototype, Symbol.iterator, iterate);
  const flatten = (list, levels, out) => {
    checked(list);
    for (let i = 0; i < list.length; i++) {
      if (!(i in list)) continue;
      const item = list[i];
      if (levels >= 1 && isArray(item)) flatten(item, levels - 1, out);
      else out.push(item);
    }
    return out;
  };
  const map = Array.prototype.map;
  hidden(Array.prototype, 'flat', function flat(levels = 1) {
    return flatten(this, Number(levels) || 0, []);
  });
  hidden(Array.prototype, 'flatMap', function flatMap(change, self) {
    return flatten(apply(map, this, [change, self]), 1, []);
  });
  // The engine looks for texts in texts place by place.
  const MOST = 4e9;
  const seeking = ['indexOf', 'lastIndexOf', 'includes', 'split', 'replace', 'replaceAll'];
  for (const name of [...Object.getOwnPropertyNames(String.prototype), Symbol.iterator]) {
    const method = String.prototype[name];
    if (typeof method !== 'function' || ['constructor', 'toString', 'valueOf', 'at', 'charAt', 'charCodeAt', 'codePointAt'].includes(name))
      continue;
    const seeks = seeking.includes(name);
    hidden(String.prototype, name, {
      [name](...given) {
        if (typeof this === 'string' && this.length > MANY) look();
        const wanted = given[0];
        if (seeks) {
          if (typeof this === 'string' && typeof wanted === 'string' && this.length * wanted.length > MOST)
            throw new RangeError('the texts are too long');
          const instead = given[1];
          if (typeof this === 'string' && typeof instead === 'string' && this.length * instead.length > MOST)
            throw new RangeError('the texts are too long');
          if (typeof this !== 'string' || (typeof wanted === 'object' && wanted !== null && !(wanted instanceof RegExp)))
            throw new TypeError(`${name} needs texts`);
        }
        return apply(method, this, given);
      },
    }[name]);
  }
  // These may take long whatever they are given.
  for (const [object, names] of [
    [JSON, ['parse', 'stringify']],
    [Object, ['keys', 'values', 'entries', 'assign', 'fromEntries', 'groupBy', 'getOwnPropertyNames', 'getOwnPropertyDescriptors']],
    [Array, ['from', 'of']],
    [global, ['parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURI', 'encodeURIComponent', 'decodeURI', 'decodeURIComponent', 'escape', 'unescape']],
  ]) {
    for (const name of names) {
      const method = object[name];
      if (typeof method !== 'function') continue;
      hidden(object, name, {
        [name](...given) {
          look();
          return apply(method, this, given);
        },
      }[name]);
    }
  }

  const tools = {};
  names.forEach((name, index) => {
    tools[name] = (...given) => call(index, now, given);
  });
  hidden(global, '$utils', tools);

  // No code from texts, no clock or waiting but the scope's, nothing that keeps state.
  const kinds = [
    function () {},
    function* () {},
    async function () {},
    async function* () {},
  ];
  for (const kind of kinds) hidden(Object.getPrototypeOf(kind), 'constructor', undefined);
  for (const name of ['eval', 'Function', 'Atomics', 'SharedArrayBuffer', 'queueMicrotask', 'performance', 'gc', 'navigator', 'BigInt'])
    delete global[name];
  for (const name of ['prepareStackTrace', 'stackTraceLimit', 'captureStackTrace']) delete Error[name];
  for (const name of ['__proto__', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__'])
    delete Object.prototype[name];
  // It goes on for as long as a length says.
  delete String.raw;
  if (typeof Iterator === 'function') for (const name of ['drop']) delete Iterator.prototype[name];

  const seen = new Set();
  const freeze = (value) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
    seen.add(value);
    freeze(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      freeze(property.value);
      freeze(property.get);
      freeze(property.set);
    }
    Object.freeze(value);
  };
  const samples = [
    ...kinds,
    kinds[1](),
    kinds[3](),
    [].values(),
    [].values().map((x) => x),
    new Map().entries(),
    new Set().values(),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
    /a/,
    typeof Iterator === 'function' ? Iterator.from({ next() {} }) : undefined,
  ];
  samples.forEach(freeze);
  freeze(global);

  return [
    (millis) => {
      now = millis;
      late = false;
    },
    (source) => evaluate(source),
    (value) => {
      if (!(value instanceof Real)) return undefined;
      return Number.isNaN(apply(getTime, value, [])) ? null : apply(toISOString, value, []);
    },
  ];
})
