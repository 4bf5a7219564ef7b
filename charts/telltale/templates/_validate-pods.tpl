{{/*
What is wrong with how pods are counted, stopped and sized, as a YAML list of texts. Parameters: Values.
*/}}
{{- define "telltale.wrongPods" -}}
{{- $wrong := list -}}
{{- with .Values.drain -}}
  {{- if ge (add .waitMs .timeoutMs) (mul 1000 .terminationGracePeriodSeconds) -}}
    {{- $wrong = append $wrong (printf "drain.terminationGracePeriodSeconds: %v s is not longer than drain.waitMs + drain.timeoutMs (%v ms); Kubernetes would kill the pod before its calls have ended; raise it or lower one of the two" .terminationGracePeriodSeconds (add .waitMs .timeoutMs)) -}}
  {{- end -}}
{{- end -}}
{{- with .Values.autoscaling -}}
  {{- if gt (int .minReplicas) (int .maxReplicas) -}}
    {{- $wrong = append $wrong (printf "autoscaling.minReplicas: %v is more than autoscaling.maxReplicas (%v); the fewest must not be more than the most; lower it or raise the other" .minReplicas .maxReplicas) -}}
  {{- end -}}
  {{- range .deployments -}}
    {{- if not (or (eq . "edge") (hasKey $.Values.services .)) -}}
      {{- $wrong = append $wrong (printf "autoscaling.deployments: %s is no Deployment; each must be edge or a key of services (%s); correct or remove it" . (keys $.Values.services | sortAlpha | join ", ")) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $least := int .Values.podDisruptionBudget.minAvailable -}}
{{- range $name, $replicas := include "telltale.deployments" $ | fromYaml -}}
  {{- if and (gt (int $replicas) 1) (ge $least (int $replicas)) -}}
    {{- $wrong = append $wrong (printf "podDisruptionBudget.minAvailable: %d is all that %s has (%v); no node with one of its pods could ever be drained; lower it, or raise the pods of %s" $least $name $replicas $name) -}}
  {{- end -}}
{{- end -}}
{{- range $container, $resources := .Values.resources -}}
  {{- $wrong = concat $wrong (include "telltale.wrongResources" (dict "path" (printf "resources.%s" $container) "resources" $resources) | fromYamlArray) -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}

{{/*
What is wrong with what a container gets, as a YAML list of texts. Parameters: path (of the value), resources.
*/}}
{{- define "telltale.wrongResources" -}}
{{- $wrong := list -}}
{{- range $kind, $request := .resources.requests -}}
  {{- $limit := get ($.resources.limits | default dict) $kind -}}
  {{- if and $limit (gt (include "telltale.amount" $request | float64) (include "telltale.amount" $limit | float64)) -}}
    {{- $wrong = append $wrong (printf "%s.requests.%s: %s is more than limits.%s (%s); Kubernetes refuses such a pod; lower it or raise the limit" $.path $kind $request $kind $limit) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $wrong -}}
{{- end }}

{{/*
A quantity as a number, to compare it: cores, or bytes. The parameter is its text, in a form that the schema allows.
*/}}
{{- define "telltale.amount" -}}
{{- $number := regexFind "^[0-9.]+" . | float64 -}}
{{- $factor := get (dict "m" 0.001 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0) (regexFind "[A-Za-z]+$" .) | default 1.0 -}}
{{- mulf $number $factor -}}
{{- end }}
