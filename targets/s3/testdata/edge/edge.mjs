// Tries the edge functions of docs/s3-pointer.md on the objects of a bucket: node edge.mjs OBJECTS.json
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import store from 'cloudfront';
import { handler } from './cloudfront.mjs';
import worker from './worker.mjs';

// { first: objects, second: objects, none: objects }: what the bucket had after two publishes and a rollback to nothing.
const states = JSON.parse(readFileSync(process.argv[2]));
let objects = states.first;
let reads = 0;
let broken = false;

const SITE = {
  async get(key) {
    reads++;
    if (broken) throw new Error('the bucket does not answer');
    const o = objects[key];
    if (o === undefined) return null;
    return {
      body: o.body,
      httpEtag: '"' + key.length + '"',
      json: async () => JSON.parse(o.body),
      writeHttpMetadata: (h) => h.set('content-type', o.type),
    };
  },
};

let now = Date.now();
Date.now = () => now;

async function visit(path, method = 'GET') {
  const answer = await worker.fetch(new Request('https://blog.example.com' + path, { method }), { SITE });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

async function shows(path, status, text) {
  const got = await visit(path);
  assert.deepEqual([got.status, got.text], [status, text], 'worker: ' + path);
}

await shows('/', 200, 'one');
await shows('/about/', 200, 'about');
await shows('/about', 200, 'about');
await shows('/css/site.css', 200, 'a{}');
await shows('/odd%20%23%20name.txt', 200, 'odd');
await shows('/missing', 404, 'no such page');
await shows('/.mirror/pointer', 404, 'no such page');
await shows('/..%2f..%2f..%2f.mirror/pointer', 404, 'no such page');
await shows('/%E0%A4%A', 404, 'no such page');
assert.match((await visit('/')).type, /^text\/html/);
assert.deepEqual((await visit('/', 'HEAD')).text, '');
assert.equal((await visit('/', 'POST')).status, 405);

const before = reads;
await visit('/');
assert.equal(reads - before, 1, 'worker: the pointer is not read for each request');

objects = states.second;
now += 5000;
await shows('/', 200, 'two');
broken = true;
now += 5000;
assert.equal((await visit('/')).status, 503, 'worker: a bucket that does not answer');
broken = false;
await shows('/', 200, 'two');
objects = states.none;
now += 5000;
await shows('/', 503, 'nothing is published here yet');

// CloudFront: the folder is in a key value store, and the origin answers what the function asks for.
async function asks(uri) {
  return handler({ request: { method: 'GET', uri, headers: {} } });
}

store.values.folder = JSON.parse(states.first['.mirror/pointer'].body).folder;
for (const [uri, body] of [['/', 'one'], ['/about/', 'about'], ['/about/index.html', 'about'], ['/css/site.css', 'a{}'], ['//css/site.css', 'a{}']]) {
  const request = await asks(uri);
  assert.equal(states.first[request.uri.slice(1)]?.body, body, 'cloudfront: ' + uri);
}
const own = await asks('/.mirror/pointer');
assert.equal(states.first[own.uri.slice(1)], undefined, 'cloudfront: the own folder is not served');
store.values.folder = '';
assert.equal((await asks('/')).statusCode, 503);
delete store.values.folder;
assert.equal((await asks('/')).statusCode, 503);
console.log('ok');
