import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type ChartObject, containersOf, podSpecs, renderObjects } from '../chart-objects.ts';
import { chart } from '../run-helm.ts';

const DIGEST = /@(sha256:[a-f0-9]{64})$/;

/** A value of the chart by which an image can have a digest, and how it is set. */
interface ImageValue {
  readonly path: string;
  set(digest: string): string;
}

/** The values that name an image: a text called `image`, or an object of that name with a `digest`. */
function imageValues(values: object, path: readonly string[]): ImageValue[] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]): ImageValue[] => {
    const here = [...path, key];
    const at = here.join('.');
    if (typeof value === 'string')
      return key === 'image' ? [{ path: at, set: digest => `${at}=${JSON.stringify(`${value}@${digest}`)}` }] : [];
    if (typeof value !== 'object' || value === null) return [];
    if (key === 'image' && 'digest' in value) return [{ path: at, set: digest => `${at}.digest=${JSON.stringify(digest)}` }];
    return imageValues(value, here);
  });
}

const valuesOf = (folder: string) => parse(readFileSync(join(folder, 'values.yaml'), 'utf8')) as object;
const images = [
  ...imageValues(valuesOf(chart), []),
  ...imageValues(valuesOf(join(chart, 'charts', 'observability')), ['observability']),
];
const digests = new Map(images.map(({ path }, index) => [path, `sha256:${String(index).padStart(64, '0')}`]));

/** The containers whose image has no digest: the pod, the container, its image. */
function withoutDigest(objects: readonly ChartObject[]): string[] {
  return [...podSpecs(objects)].flatMap(([pod, spec]) =>
    containersOf(spec).flatMap(({ name, image }) => (DIGEST.test(image) ? [] : [`${pod}/${name}: ${image}`])),
  );
}

/** The chart's objects when these images have their digests. */
const renderPinned = (pinned: readonly ImageValue[]) =>
  renderObjects(pinned.map(({ path, set }) => set(digests.get(path) ?? '')).join());

describe('images by digest', () => {
  let objects: ChartObject[];
  before(async () => {
    objects = await renderPinned(images);
  });

  it('are those of the services, Envoy, PostgreSQL, Prometheus, Jaeger and Grafana', () => {
    const observability = ['prometheus', 'jaeger', 'grafana'].map(part => `observability.${part}.image`);
    assert.deepEqual([...digests.keys()].sort(), ['image', 'envoy.image', 'postgresql.image', ...observability].sort());
  });

  it('reach every container, and each digest at least one', () => {
    assert.deepEqual(withoutDigest(objects), []);
    const used = [...podSpecs(objects).values()].flatMap(spec =>
      containersOf(spec).map(({ image }) => DIGEST.exec(image)?.[1]),
    );
    assert.deepEqual([...new Set(used)].sort(), [...digests.values()].sort());
  });

  for (const { path } of images) {
    it(`${path} without a digest is found`, async () => {
      const found = withoutDigest(await renderPinned(images.filter(image => image.path !== path)));
      assert.ok(found.length > 0);
    });
  }

  it('are described in the README of the chart', () => {
    const readme = readFileSync(join(chart, 'README.md'), 'utf8');
    const [, section = ''] = /\n## Images by digest\n(.*?)\n## /s.exec(readme) ?? [];
    const [, example = ''] = /\n\n((?: {4}.*\n)+)/.exec(section) ?? [];
    assert.deepEqual(imagePaths(parse(example.replaceAll('...', 'x')), []), [...digests.keys()].sort());
  });
});

/** The images that a file of values sets. */
function imagePaths(values: object, path: readonly string[]): string[] {
  return imageValues(values, path)
    .map(image => image.path)
    .sort();
}
