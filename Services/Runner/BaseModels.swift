public import Crypto

/// The base models that a runner can have.
public enum BaseModels {
    /// The folder of the model that ships with the product, beside the program or its sources; nil where it is not.
    public static func shipped() -> String? { ModelLibrary.shipped() }

    /// What the log calls the model in a folder: SHA-256 of the manifest of its files. Reads all of them; blocks.
    public static func artefact(of folder: String) throws -> Digest { try ServedModel.artefact(of: folder).digest }
}
