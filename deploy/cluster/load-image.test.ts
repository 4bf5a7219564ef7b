import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadCommand } from './load-image.ts';

const image = 'telltale:0.1.0-4f40dd8d986f';
const command = (context: string) => loadCommand(image, { context, server: 'https://127.0.0.1:6443' });

describe('loadCommand', () => {
  it('names the cluster of the context, not a default one', () => {
    assert.deepEqual(command('kind-telltale'), ['kind', 'load', 'docker-image', image, '--name', 'telltale']);
    assert.deepEqual(command('k3d-dev'), ['k3d', 'image', 'import', image, '--cluster', 'dev']);
    assert.deepEqual(command('minikube'), ['minikube', 'image', 'load', image]);
  });

  it('has nothing to do where the nodes share the images of Docker', () => {
    assert.equal(command('docker-desktop'), undefined);
    assert.equal(command('orbstack'), undefined);
  });

  it('says what to do for a cluster that it does not know', () => {
    assert.throws(() => command('staging'), /no way is known .* "staging": push the image to a registry/);
  });
});
