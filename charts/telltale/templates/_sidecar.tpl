{{/*
What each container of Envoy has, the edge's and the sidecars' alike. Parameters: root.

The GOAWAYs of a drain are spread over the wait of the pod's stop (--drain-time-s). Hot restart is off: it needs a shared
memory segment per machine, which Envoys on one machine would fight for. "misc" would warn at each start that
use_oghttp2_codec, which sidecar.yaml explains, is work in progress.
*/}}
{{- define "telltale.envoyContainer" -}}
name: envoy
image: {{ .root.Values.envoy.image }}
args:
  - -c
  - /etc/envoy/envoy.yaml
  - --concurrency
  - {{ .root.Values.envoy.concurrency | quote }}
  - --drain-time-s
  - {{ div (add .root.Values.drain.waitMs 999) 1000 | quote }}
  - --disable-hot-restart
  - --log-level
  - warning
  - --component-log-level
  - misc:error
{{- if include "telltale.collector" .root }}
env:
  - name: TELLTALE_POD
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  # What is said of this Envoy in its spans.
  - name: OTEL_RESOURCE_ATTRIBUTES
    value: {{ include "telltale.resourceAttributes" .root }},k8s.pod.name=$(TELLTALE_POD)
{{- end }}
securityContext:
  {{- include "telltale.containerSecurity" . | nindent 2 }}
volumeMounts:
  - name: envoy
    mountPath: /etc/envoy
    readOnly: true
  - name: connections
    mountPath: /run/envoy
  {{- if eq .root.Values.discovery "file" }}
  - name: endpoints
    mountPath: /etc/envoy-endpoints
    readOnly: true
  {{- end }}
  {{- with include "telltale.identityMount" .root }}{{ . | nindent 2 }}{{ end }}
{{- end }}

{{/*
A sidecar: a native one, so that it is there before the app starts and after the app has stopped. Parameters: root.
*/}}
{{- define "telltale.sidecar" -}}
{{ include "telltale.envoyContainer" . }}
restartPolicy: Always
ports:
  - name: grpc
    containerPort: 50051
  - name: stats
    containerPort: 15021
startupProbe:
  httpGet: {path: /ready, port: 15021}
  periodSeconds: 1
  failureThreshold: 60
resources: {{- toYaml .root.Values.resources.sidecar | nindent 2 }}
{{- end }}

{{/*
The files of an Envoy, for its ConfigMap. Parameters: root, config (the text of envoy.yaml).
*/}}
{{- define "telltale.envoyFiles" -}}
envoy.yaml: |
  {{- .config | nindent 2 }}
{{- if .root.Values.mtls }}
{{- range list "identity.yaml" "trust.yaml" }}
{{ . }}: |
  {{- include "telltale.envoyFile" (dict "root" $.root "file" .) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The volumes of a pod with an Envoy. Parameters: root, name (of the service, or "edge").
*/}}
{{- define "telltale.envoyVolumes" -}}
- name: envoy
  configMap:
    name: {{ .name }}-envoy
# How many connections are open: _connections.yaml writes it, and nobody else reads it.
- name: connections
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- if eq .root.Values.discovery "file" }}
- name: endpoints
  configMap:
    name: endpoints
    optional: true
{{- end }}
{{- with include "telltale.identityVolume" . }}
{{ . }}
{{- end }}
{{- end }}
