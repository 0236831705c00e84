internal import ServiceShell

/// Puts adapters where a server reads them from a folder.
struct AdapterShelf: Sendable {
    let peers: Peers

    /// The files of an adapter, under its artefact's name.
    func put(_ adapter: String, into folder: String) async throws {
        _ = try await ArtefactFetch(peers: peers, folder: folder).folder(of: adapter)
    }
}
