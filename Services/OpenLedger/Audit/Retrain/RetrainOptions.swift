import Foundation

/// The options of `openledger audit --retrain`.
enum RetrainOptions {
    static let options: [ArgumentSpecification.Option] = [
        .init(
            name: "retrain", value: "JOB",
            help: "Repeat this fine-tuning from its snapshots, and compare the adapter and its attribution rows."),
        .init(
            name: "no-rows", value: nil,
            help: "With --retrain: compare the adapter alone; measuring influence takes about as long as an epoch or two."),
        .init(
            name: "rows", value: "FOLDER",
            help: "With --retrain: where the job's rows lie. From a live house they are fetched into it, unless they are there."),
        .init(name: "base", value: "FOLDER", help: "With --retrain: the base model; the one that ships with the product when left out."),
        .init(
            name: "token-file", value: "FILE",
            help: "With --retrain: a token or API key of somebody who may train on the job's Datanets; else OPENLEDGER_TOKEN."),
    ]

    static let note = """
        --retrain reads the job from the audited log, its settings, record and rows from the house at LOG's URL or from --rows, checks them
        against the hashes on the log, trains again with the recorded kernels, threads and seed, and compares the hashes of the adapter
        and of its attribution rows. Rows lie in FOLDER as <snapshot>.jsonl, settings and record as settings.json and record.json.
        Status 1 then also means another adapter or other attribution rows,
        and 2 that the job can't be repeated: its rows were taken back, its base is not here, something else computed it, this processor
        has no such kernels, or other bytes came out where the recorded C library's functions are not this machine's.
        """
}

/// What a live house is asked with.
struct RetrainHouse {
    /// Where its paths begin.
    let url: String
    /// A token or API key.
    let credential: String
    /// The certificate that its TLS is trusted by.
    let ca: String?

    /// The house whose log this is; nil for a folder.
    init?(log place: String, _ arguments: Arguments) throws {
        guard place.hasPrefix("http://") || place.hasPrefix("https://") else { return nil }
        var url = place[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        if url.hasSuffix("/log") { url = url.dropLast(4) }
        self.url = String(url)
        ca = arguments.value("ca")
        if let file = arguments.value("token-file") {
            credential = try SmallTextFile.read(file, limit: 64 << 10).trimmingCharacters(in: .whitespacesAndNewlines)
        } else {
            credential = ProcessInfo.processInfo.environment["OPENLEDGER_TOKEN"] ?? ""
        }
    }
}
