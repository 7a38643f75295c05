import HTTPTypes

extension PoolConfiguration {
    /// Validates every value.
    ///
    /// Files are not opened: whether they are readable and valid is checked by the client that reads them.
    ///
    /// - Throws: ``ConfigurationError`` with all problems.
    public func validate() throws(ConfigurationError) {
        let problems = problems(besides: [])
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// All problems, in the order of the settings.
    ///
    /// - Parameter refused: the keys of settings whose text was rejected. They have their defaults, so rules that
    ///   relate two settings are not checked against them.
    func problems(besides refused: Set<String>) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        for setting in PoolSetting.all {
            if let problem = setting.problem(in: PoolScopeConfiguration(pool: self)) {
                problems.append(sources.problem(setting, problem))
            }
            if setting == .maxIdleConnections, !refused.contains(PoolSetting.maxConnections.key) {
                problems += idleProblem
            }
        }
        return problems + codeProblems
    }

    /// There cannot be more idle connections than connections.
    private var idleProblem: [ConfigurationError.Problem] {
        guard limits.maxIdleConnections > limits.maxConnections, limits.maxConnections >= 1 else { return [] }
        let allowed = "at most \(name(of: .maxConnections)) (\(limits.maxConnections))"
        let value = value(of: .maxIdleConnections).description
        return [sources.problem(.maxIdleConnections, SettingProblem(value: value, allowed: allowed))]
    }

    /// Problems of the parts of a transport that only code can set. They contain no secret.
    private var codeProblems: [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func refuse(_ name: String, _ value: String, allowed: String) {
            problems.append(ConfigurationError.Problem(name: name, value: value, allowed: allowed))
        }
        let identity = transport.tls.identity
        for case .file(let path)? in [identity?.certificate, identity?.privateKey] where !PoolTLS.PEM.isPath(path) {
            refuse("transport.tls.identity", path, allowed: PoolSetting.caFile.allowed)
        }
        for field in transport.defaultHeaders {
            switch field.name {
            case .contentLength, .transferEncoding, .expect, HTTPField.Name("Host"):
                refuse("transport.defaultHeaders", field.name.rawName, allowed: "a field that applies to every request")
            default:
                guard field.valueKind == .forbidden else { continue }
                refuse("transport.defaultHeaders", field.name.rawName, allowed: "a value without control characters")
            }
        }
        return problems
    }
}
