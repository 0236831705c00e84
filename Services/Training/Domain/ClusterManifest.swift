public import JSON

/// A Kubernetes Job (batch/v1) that runs a runner until it has done one job, for a queue of Kueue, which starts it when there is room.
///
/// Our queue stays what decides: the runner leases whatever waits first of what it can do.
public struct ClusterManifest: Sendable {
    /// The training job that it is made for.
    public var job: String
    /// The base model's name, and where it lies in the container.
    public var base: String
    /// The runner's image.
    public var image: String
    /// Kueue's local queue; none, and the Job starts at once, when left out.
    public var queue: String?
    /// Where training answers.
    public var url: String
    /// GPUs of nvidia.com/gpu.
    public var gpus: Int
    /// Bytes of memory.
    public var memory: Int

    /// From its parts.
    public init(job: String, base: String, image: String, queue: String?, url: String, gpus: Int, memory: Int) {
        self.job = job
        self.base = base
        self.image = image
        self.queue = queue
        self.url = url
        self.gpus = gpus
        self.memory = memory
    }

    /// Bytes that a job takes: weights, as much again for what is made of them, what is kept of a row on its way, and the libraries.
    public static func memory(parameters: Int, settings: TrainingSettings) -> Int {
        // The base is loaded in 32 bits whatever it learns over, and stays beside the one in fewer.
        return (2 << 30) + parameters * 8 + settings.maximumTokens * settings.batch * 64 << 10
    }

    /// The manifest; `kubectl create -f` takes JSON as well as YAML.
    public var json: JSONValue {
        let name =
            "openledger-" + job.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "-" }.joined().prefix(40)
        var labels: [(String, JSONValue)] = [("app.kubernetes.io/name", "openledger-runner"), ("openledger.job", .string(label))]
        if let queue { labels.append(("kueue.x-k8s.io/queue-name", .string(queue))) }
        var limits: [(String, JSONValue)] = [("memory", .string("\(memory >> 20)Mi")), ("cpu", "2")]
        if gpus > 0 { limits.append(("nvidia.com/gpu", .string(String(gpus)))) }
        let resources = JSONValue.object(JSONObject(limits))
        func variable(_ name: String, _ value: String) -> JSONValue { ["name": .string(name), "value": .string(value)] }
        let container: JSONValue = [
            "name": "runner", "image": .string(image), "args": ["--jobs", "1"],
            "env": [
                variable("OPENLEDGER_URL", url), variable("OPENLEDGER_TOKEN_FILE", "/run/openledger/token"),
                variable("OPENLEDGER_RUNNER_MODELS", "\(base)=/models/\(base)"),
                variable("OPENLEDGER_RUNNER_DEVICE", gpus > 0 ? "cuda" : "cpu"),
            ],
            "resources": ["requests": resources, "limits": resources],
            "securityContext": [
                "allowPrivilegeEscalation": false, "runAsNonRoot": true, "readOnlyRootFilesystem": true, "capabilities": ["drop": ["ALL"]],
            ],
            "volumeMounts": [
                ["name": "token", "mountPath": "/run/openledger", "readOnly": true],
                ["name": "models", "mountPath": "/models", "readOnly": true], ["name": "scratch", "mountPath": "/tmp"],
            ],
        ]
        let pod: JSONValue = [
            "restartPolicy": "Never", "automountServiceAccountToken": false, "containers": [container],
            "volumes": [
                ["name": "token", "secret": ["secretName": "openledger-runner"]],
                ["name": "models", "persistentVolumeClaim": ["claimName": "openledger-models", "readOnly": true]],
                ["name": "scratch", "emptyDir": .object(JSONObject())],
            ],
        ]
        return [
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": ["name": .string(String(name)), "labels": .object(JSONObject(labels))],
            "spec": [
                // Kueue lets it go when the queue has room.
                "suspend": .bool(queue != nil), "backoffLimit": 2, "ttlSecondsAfterFinished": 86_400,
                "template": ["metadata": ["labels": .object(JSONObject(Array(labels.prefix(2))))], "spec": pod],
            ],
        ]
    }

    /// The job's id as a label's value: at most 63 of letters, digits, - _ and .
    private var label: String {
        String(job.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }.prefix(63))
    }
}
