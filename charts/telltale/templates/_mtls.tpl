{{/* Who is who in the mesh, and where a pod finds the files that prove it. */}}

{{/*
The identity of a part, a SPIFFE ID as services/kit/identity.ts has it; with an empty name what all of them begin with.
Parameters: root, name.
*/}}
{{- define "telltale.identity" -}}
spiffe://telltale/ns/{{ .root.Release.Namespace }}/sa/{{ .name }}
{{- end }}

{{/*
The parts that may call a service, as a YAML list: the services that name it in `upstreams`, and the edge if it does.
Parameters: root, name.
*/}}
{{- define "telltale.callers" -}}
{{- $callers := list }}
{{- if has .name (include "telltale.edgeUpstreams" .root | fromYamlArray) }}{{ $callers = append $callers "edge" }}{{ end }}
{{- range $caller, $service := include "telltale.services" .root | fromYaml }}
{{- if has $.name $service.upstreams }}{{ $callers = append $callers $caller }}{{ end }}
{{- end }}
{{- toYaml $callers }}
{{- end }}

{{/*
The mount of a pod's identity, in a container that speaks TLS and in no other: the Envoy; of who runs experiments the app, too,
which also calls past its Envoy, to show what that does. Empty without mTLS. Parameters: Values.
*/}}
{{- define "telltale.identityMount" -}}
{{- if .Values.mtls -}}
- name: identity
  mountPath: /etc/telltale/identity
  readOnly: true
{{- end }}
{{- end }}

{{/*
The volume of a pod's identity; empty without mTLS. The kubelet starts no container before all three keys are there. It gives
the files to the pod's group (fsGroup). Parameters: root, name.
*/}}
{{- define "telltale.identityVolume" -}}
{{- if .root.Values.mtls -}}
- name: identity
  secret:
    secretName: {{ include "telltale.identitySecret" .name }}
    defaultMode: 256 # 0400, which some readers of YAML take for a decimal
    items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}, {key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}
