import Foundation

/// Exit statuses: 0 all is well, 1 what was asked for failed, 2 the command line can't be used.
let words = Array(CommandLine.arguments.dropFirst())

switch words.first {
case nil, "help", "--help", "-h":
    print(Command.help)
    exit(words.isEmpty ? 2 : 0)
case "--version":
    print("openledger \(Version.text)")
    exit(0)
case let verb?:
    guard let command = Command.all.first(where: { $0.name == verb }) else {
        let near = Command.all.map(\.name).min { EditDistance.between($0, verb) < EditDistance.between($1, verb) } ?? "help"
        Terminal.error("there is no command \(verb); did you mean \(near)? openledger --help lists all")
        exit(2)
    }
    do {
        exit(try await command.run(Array(words.dropFirst())))
    } catch let usage as UsageError {
        if usage.isHelp {
            print(usage, terminator: "")
            exit(0)
        }
        Terminal.error("\(usage)")
        exit(2)
    } catch {
        Terminal.error("\(error)")
        exit(1)
    }
}
