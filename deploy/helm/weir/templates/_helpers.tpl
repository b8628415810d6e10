{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{- define "weir.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "weir.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "weir.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "weir.selectorLabels" -}}
app.kubernetes.io/name: {{ include "weir.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "weir.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "weir.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.additionalLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{/* What every object begins with: (dict "root" $ "kind" KIND "apiVersion" VERSION "name" NAME "annotations" MAP) */}}
{{- define "weir.head" -}}
apiVersion: {{ .apiVersion }}
kind: {{ .kind }}
metadata:
  name: {{ .name | default (include "weir.fullname" .root) }}
  {{- if not (hasPrefix "Cluster" .kind) }}
  namespace: {{ include "weir.namespace" .root }}
  {{- end }}
  labels:
    {{- include "weir.labels" .root | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "weir.kind" -}}
{{- get (dict "daemonset" "DaemonSet" "deployment" "Deployment" "statefulset" "StatefulSet") .Values.mode }}
{{- end }}

{{- define "weir.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "weir.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "weir.clusterRoleName" -}}
{{- default (include "weir.fullname" .) .Values.clusterRole.name }}
{{- end }}

{{- define "weir.hasService" -}}
{{- $enabled := .Values.service.enabled }}
{{- if kindIs "invalid" $enabled }}{{ $enabled = ne .Values.mode "daemonset" }}{{ end }}
{{- if $enabled }}true{{ end }}
{{- end }}

{{- define "weir.image" -}}
{{- $image := .Values.image }}
{{- $repository := $image.repository }}
{{- with (.Values.global).imageRegistry }}{{ $repository = printf "%s/%s" . $repository }}{{ end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository ($image.tag | default (ternary "agent" "gateway" (eq .Values.mode "daemonset"))) }}
{{- end }}
{{- end }}

{{/* The configuration as text. Values of otelcol's chart remove its default receivers with null; here they are not. */}}
{{- define "weir.config" -}}
{{- $config := deepCopy (.Values.alternateConfig | default .Values.config) }}
{{- range $name := list "jaeger" "prometheus" "zipkin" }}
{{- if and $config.receivers (hasKey $config.receivers $name) (kindIs "invalid" (get $config.receivers $name)) }}
{{- $_ := unset $config.receivers $name }}
{{- end }}
{{- end }}
{{- tpl (toYaml $config) . }}
{{- end }}

{{/* Sentences for what cannot be. */}}
{{- define "weir.check" -}}
{{- $needs := dict "logsCollection" "the filelog receiver" "hostMetrics" "the hostmetrics receiver"
      "kubernetesAttributes" "the k8sattributes processor" "kubeletMetrics" "the kubeletstats receiver"
      "kubernetesEvents" "the k8sobjects receiver" "clusterMetrics" "the k8s_cluster receiver" }}
{{- range $name, $preset := .Values.presets }}
{{- if ($preset).enabled }}
{{- fail (printf "presets.%s needs %s, which weir does not have yet: switch the preset off" $name (get $needs $name)) }}
{{- end }}
{{- end }}
{{- range $name := list "ingress" "networkPolicy" "podMonitor" "serviceMonitor" "prometheusRule" "targetAllocator" }}
{{- if (get $.Values $name).enabled }}
{{- fail (printf "%s.enabled: this chart makes no such object; bring one of your own in extraManifests" $name) }}
{{- end }}
{{- end }}
{{- if not (has (.Values.command.name | default "weir") (list "weir")) }}
{{- fail (printf "command.name: %s is not in weir's image; leave it empty" .Values.command.name) }}
{{- end }}
{{- if and .Values.configMap.existingName .Values.configMap.create }}
{{- fail "configMap.existingName: set configMap.create to false to use a ConfigMap of your own" }}
{{- end }}
{{- if not (or .Values.configMap.create .Values.configMap.existingName) }}
{{- if not (regexMatch "--config" (join " " .Values.command.extraArgs)) }}
{{- fail "configMap.create: without a ConfigMap, give --config in command.extraArgs" }}
{{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled (eq .Values.mode "daemonset") }}
{{- fail "autoscaling.enabled: a daemonset has one pod on each node" }}
{{- end }}
{{- if and (eq .Values.mode "statefulset") (not (include "weir.hasService" .)) }}
{{- fail "service.enabled: a statefulset needs its Service" }}
{{- end }}
{{- end }}
