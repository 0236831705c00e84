internal import Crypto
internal import JSON

extension Tokenizer {
    /// The greatest file that is read; the largest known ones have some 30 MB.
    public static let greatestFile = 64 << 20

    /// Reads a `tokenizer.json`.
    /// - Parameter file: the name for messages.
    public convenience init(json: [UInt8], file: String = "tokenizer.json") throws(FormatError) {
        do {
            self.init(parts: try TokenizerFile(json, file).parts(), digest: SHA256.hash(json))
        } catch let error as FormatError {
            throw error
        } catch let error as JSONFieldError {
            throw FormatError(.malformed, file: file, place: error.pointer, error.reason)
        } catch {
            throw FormatError(.malformed, file: file, "\(error)")
        }
    }

    /// Reads the `tokenizer.json` of a model's folder.
    public convenience init(folder: String) throws(FormatError) {
        let path = folder + "/tokenizer.json"
        guard WholeFile.exists(path) else {
            throw FormatError(
                .missing, file: path, "is not there; tokenizer.model and vocab.txt are not read: convert them to tokenizer.json")
        }
        try self.init(json: try WholeFile.read(path, limit: Self.greatestFile), file: path)
    }
}
