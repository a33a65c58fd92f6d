package io.syncline.worker.connection;

class InMemoryConnectionStoreTest extends ConnectionStoreContract {

    private final InMemoryConnectionStore store = new InMemoryConnectionStore();

    @Override
    ConnectionStore store() {
        return store;
    }
}
