package import Configuration

/// How what set a value is called: by its variable of the environment, or by its key where a file has it.
///
/// A configuration reader does not say which of its providers a value came from.
package struct SettingNames: Sendable {
    private let environment: ConfigSnapshotReader?

    /// By the variable, whoever has the value.
    package static let variables = SettingNames(environment: nil)

    /// By the variable where this process has it in its environment, by the key elsewhere.
    package static let ofProcess = SettingNames(environment: ConfigReader(provider: EnvironmentVariablesProvider()))

    /// By the variable where `environment` has it, by the key elsewhere.
    package init(environment: ConfigReader) { self.init(environment: environment.snapshot()) }

    private init(environment: ConfigSnapshotReader?) { self.environment = environment }

    /// What a value that was read is called.
    package func name(ofVariable variable: String) -> String {
        guard let environment, environment.text(ofVariable: variable) == nil else { return variable }
        return Self.key(ofVariable: variable).description
    }

    /// `httpClient.timeout` for `HTTP_CLIENT_TIMEOUT`.
    package static func key(ofVariable variable: String) -> ConfigKey {
        let words = variable.lowercased().split(separator: "_").dropFirst(2)
        let name = (words.first.map(String.init) ?? "") + words.dropFirst().map(\.capitalizedASCII).joined()
        return ConfigKey(["httpClient", name])
    }
}

extension ConfigSnapshotReader {
    /// The raw text of a variable such as `HTTP_CLIENT_TIMEOUT` (key `httpClient.timeout`), so that a wrong value is
    /// an error and never a default; `nil` where it is missing. Providers of typed values (a JSON file) hold numbers
    /// where the environment holds text.
    package func text(ofVariable variable: String, isSecret: Bool = false) -> String? {
        let key = SettingNames.key(ofVariable: variable)
        do {
            return try requiredString(forKey: key, isSecret: isSecret)
        } catch {
            if let number = int(forKey: key, isSecret: isSecret) { return String(number) }
            if let number = double(forKey: key, isSecret: isSecret) { return String(number) }
            // The reader's error type is not public; a missing value is told from one of a wrong type by its words.
            let isMissing = String(describing: error).hasPrefix("Missing required config value")
            return isMissing ? nil : "neither text nor a number"
        }
    }
}

extension Substring {
    /// `connections` as `Connections`.
    fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
