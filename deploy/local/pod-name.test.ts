import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { podName, templateHash } from './pod-name.ts';

describe('podName', () => {
  it('looks like the name of a pod of a Deployment', () => {
    const hash = templateHash({ spec: { containers: [] } });
    assert.match(podName('users', hash), /^users-[b-z2-9]{10}-[b-z2-9]{5}$/);
    assert.ok(podName('users', hash).startsWith(`users-${hash}-`));
  });

  it('has another hash for another template', () => {
    const annotated = { metadata: { annotations: { a: 'b' } }, spec: { containers: [] } };
    assert.notEqual(templateHash({ spec: { containers: [] } }), templateHash(annotated));
  });
});
