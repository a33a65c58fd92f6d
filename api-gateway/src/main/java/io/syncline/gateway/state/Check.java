package io.syncline.gateway.state;

/** Whether something that the gateway depends on would work now. */
public sealed interface Check {

    record Up() implements Check {}

    /**
     * It works for some sites and not for others.
     *
     * @param cause  what is wrong, without anything secret
     * @param remedy what an operator can do about it
     */
    record Limited(String cause, String remedy) implements Check {}

    /**
     * @param cause  what is wrong, without anything secret
     * @param remedy what an operator can do about it
     */
    record Down(String cause, String remedy) implements Check {}
}
