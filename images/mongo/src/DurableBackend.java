package portals.mongo;

import java.util.Locale;
import java.util.Set;

import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.wire.message.MongoQuery;
import io.netty.channel.Channel;

/** The H2 backend, with this difference: the answer to a write leaves after the disk has it. */
final class DurableBackend extends H2Backend {

    /** Commands that change nothing, lower case; every other one waits for the disk. */
    private static final Set<String> READS = Set.of("find", "getmore", "count", "distinct", "listcollections",
        "listindexes", "listdatabases", "collstats", "dbstats", "validate", "ping", "ismaster", "hello", "buildinfo",
        "serverstatus", "whatsmyuri", "getlog", "connectionstatus", "killcursors", "endsessions", "hostinfo",
        "getcmdlineopts", "getfreemonitoringstatus", "replsetgetstatus");

    private final GroupCommit commit;

    DurableBackend(GroupCommit commit) {
        super(commit.store());
        this.commit = commit;
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        try {
            if (READS.contains(command.toLowerCase(Locale.ROOT))) {
                return commit.read(() -> super.handleCommand(channel, database, command, query));
            }
            return commit.write(() -> super.handleCommand(channel, database, command, query));
        } catch (MongoServerException refused) {
            throw refused;
        } catch (RuntimeException unexpected) {
            // The name alone: the rest is a user's data.
            System.err.println("mongo: the command " + command + " failed");
            unexpected.printStackTrace();
            throw unexpected;
        }
    }

    @Override
    public QueryResult handleQuery(MongoQuery query) {
        return commit.read(() -> super.handleQuery(query));
    }
}
