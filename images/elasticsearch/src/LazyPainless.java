package portals.search;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import org.opensearch.action.ActionRequest;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.cluster.node.DiscoveryNodes;
import org.opensearch.common.settings.ClusterSettings;
import org.opensearch.common.settings.IndexScopedSettings;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.settings.SettingsFilter;
import org.opensearch.core.action.ActionResponse;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.painless.action.PainlessExecuteAction;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.ScriptPlugin;
import org.opensearch.rest.RestController;
import org.opensearch.rest.RestHandler;
import org.opensearch.script.ScriptContext;
import org.opensearch.script.ScriptEngine;

/**
 * OpenSearch's script language, loaded at the first script instead of at every start.
 *
 * <p>Loading what a script may call is nearly half the work of a start, and Open edX sends no scripts. The endpoint
 * `_scripts/painless/_context`, which documents it for authors of scripts, is left out.
 */
public final class LazyPainless extends Plugin implements ScriptPlugin, ActionPlugin {

    private final PainlessPlugin real = new PainlessPlugin();

    @Override
    public ScriptEngine getScriptEngine(Settings settings, Collection<ScriptContext<?>> contexts) {
        return new Engine(Set.copyOf(contexts), () -> real.getScriptEngine(settings, contexts));
    }

    @Override
    public List<ScriptContext<?>> getContexts() {
        return real.getContexts();
    }

    @Override
    public List<Setting<?>> getSettings() {
        return real.getSettings();
    }

    @Override
    public List<ActionHandler<? extends ActionRequest, ? extends ActionResponse>> getActions() {
        return real.getActions().stream().filter(each -> each.getAction() instanceof PainlessExecuteAction)
            .collect(Collectors.toList());
    }

    @Override
    public List<RestHandler> getRestHandlers(Settings settings, RestController controller, ClusterSettings cluster,
            IndexScopedSettings scoped, SettingsFilter filter, IndexNameExpressionResolver resolver,
            Supplier<DiscoveryNodes> nodes) {
        return real.getRestHandlers(settings, controller, cluster, scoped, filter, resolver, nodes).stream()
            .filter(each -> each instanceof PainlessExecuteAction.RestAction).collect(Collectors.toList());
    }

    private static final class Engine implements ScriptEngine {

        private final Set<ScriptContext<?>> contexts;
        private final Supplier<ScriptEngine> factory;
        private ScriptEngine engine;

        private Engine(Set<ScriptContext<?>> contexts, Supplier<ScriptEngine> factory) {
            this.contexts = contexts;
            this.factory = factory;
        }

        @Override
        public String getType() {
            return "painless";
        }

        @Override
        public Set<ScriptContext<?>> getSupportedContexts() {
            return contexts;
        }

        @Override
        public <T> T compile(String name, String code, ScriptContext<T> context, Map<String, String> options) {
            return loadedEngine().compile(name, code, context, options);
        }

        private synchronized ScriptEngine loadedEngine() {
            if (engine == null) {
                // The thread of a request has fewer permissions than the thread of a start.
                engine = AccessController.doPrivileged((PrivilegedAction<ScriptEngine>) factory::get);
            }
            return engine;
        }
    }
}
