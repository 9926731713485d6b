{{- define "operator.rules" -}}
rules:
  - apiGroups: [alertmanager.dev]
    resources: [alertmanagerclusters]
    verbs: [get, list, watch]
  - apiGroups: [alertmanager.dev]
    resources: [alertmanagerclusters/status]
    verbs: [update]
  - apiGroups: [alertmanager.dev] # owner references that block the owner's deletion
    resources: [alertmanagerclusters/finalizers]
    verbs: [update]
  - apiGroups: [apps]
    resources: [statefulsets]
    verbs: [get, list, watch, create, patch, delete] # delete: a StatefulSet alone, its pods stay, when a volume changes
  - apiGroups: [""]
    resources: [secrets, services, serviceaccounts]
    verbs: [get, list, watch, create, patch, delete] # delete: what isn't wanted any more, of its own only
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [get, list, watch, create, patch, delete]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies, ingresses]
    verbs: [get, list, watch, create, patch, delete]
  - apiGroups: [gateway.networking.k8s.io]
    resources: [httproutes]
    verbs: [get, create, patch, delete]
  - apiGroups: [cert-manager.io]
    resources: [certificates]
    verbs: [get, create, patch, delete]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [get, list, watch, create, patch, delete]
  - apiGroups: [batch] # spec.backup
    resources: [cronjobs]
    verbs: [get, create, patch, delete]
  - apiGroups: [batch]
    resources: [jobs]
    verbs: [list, watch] # how backups went
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [get, list, watch, patch] # patch: a larger size
  - apiGroups: [monitoring.coreos.com]
    resources: [podmonitors, prometheusrules]
    verbs: [get, create, patch, delete]
  - apiGroups: [""]
    resources: [resourcequotas]
    verbs: [get, create, patch, delete]
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, watch, create, patch, delete] # create, patch, delete: dashboards
  - apiGroups: [""]
    resources: [pods]
    # patch: an annotation makes the kubelet refresh the configuration at once; delete: one with another kind of storage
    verbs: [get, list, watch, patch, delete]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create]
{{- end }}
