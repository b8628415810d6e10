{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "weir.ports" -}}
{{- range $name, $port := .Values.ports }}
{{- if ($port).enabled }}
- name: {{ $name }}
  containerPort: {{ required (printf "ports.%s.containerPort must be given" $name) $port.containerPort }}
  protocol: {{ $port.protocol | default "TCP" }}
  {{- if and (eq $.Values.mode "daemonset") $port.hostPort }}
  hostPort: {{ $port.hostPort }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The pod's template, below spec.template of the workload. */}}
{{- define "weir.podTemplate" -}}
metadata:
  annotations:
    {{- if .Values.configMap.create }}
    checksum/config: {{ include "weir.config" . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- include "weir.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "weir.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountServiceAccountToken }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- with .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- range $name := list "imagePullSecrets" "hostAliases" "dnsConfig" "schedulerName" "priorityClassName" "nodeSelector"
        "affinity" "tolerations" "topologySpreadConstraints" }}
  {{- with get $.Values $name }}
  {{ $name }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- tpl (toYaml .) $ | nindent 4 }}
  {{- end }}
  containers:
    - {{- include "weir.container" . | nindent 6 }}
    {{- with .Values.extraContainers }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  {{- $configured := or .Values.configMap.create .Values.configMap.existingName }}
  {{- if or $configured .Values.extraVolumes }}
  volumes:
    {{- if $configured }}
    - name: configmap
      configMap:
        name: {{ .Values.configMap.existingName | default (include "weir.fullname" .) }}
        items:
          - {key: relay, path: relay.yaml}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "weir.container" -}}
name: weir
image: {{ include "weir.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- $configured := or .Values.configMap.create .Values.configMap.existingName }}
  {{- if $configured }}
  - --config=/conf/relay.yaml
  {{- end }}
  - --drain-timeout=25s
  {{- range .Values.command.extraArgs }}
  - {{ . | quote }}
  {{- end }}
{{- with include "weir.ports" . }}
ports:
  {{- . | nindent 2 }}
{{- end }}
env:
  - name: MY_POD_IP
    valueFrom: {fieldRef: {apiVersion: v1, fieldPath: status.podIP}}
  {{- with .Values.extraEnvs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- range $key, $value := dict "envFrom" .Values.extraEnvsFrom "lifecycle" .Values.lifecycleHooks
      "livenessProbe" .Values.livenessProbe "readinessProbe" .Values.readinessProbe "startupProbe" .Values.startupProbe
      "resources" .Values.resources "securityContext" .Values.securityContext }}
{{- with $value }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if or $configured .Values.extraVolumeMounts }}
volumeMounts:
  {{- if $configured }}
  - {name: configmap, mountPath: /conf, readOnly: true}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- tpl (toYaml .) $ | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
