"""A CTP client in Python, by way of openctp-ctp: logs in, subscribes, buys a lot that fills, cancels one that rests, logs out.

    python3 client.py 127.0.0.1:PORT CONTRACT

Nothing here knows of the stand-in: the same program talks to a broker's front when openctp-ctp has its own libraries.
"""

import queue
import sys
import tempfile

from openctp_ctp import mdapi, tdapi

BROKER, USER, PASSWORD = "9999", "shrike", "shrike"
APP_ID, AUTH_CODE = "shrike_test", "0000000000000000"


class Events:
    """What the libraries' threads tell, in order, for the program's own thread."""

    def __init__(self):
        self.queue = queue.Queue()

    def put(self, name, info, **facts):
        if info is not None and info.ErrorID != 0:
            self.queue.put(("error", {"text": f"{name}: error {info.ErrorID} {info.ErrorMsg}"}))
        else:
            self.queue.put((name, facts))

    def wait(self, wanted, accept=lambda facts: True):
        """The next event of that name that is accepted; others are passed over."""
        while True:
            name, facts = self.queue.get(timeout=30)
            if name == "error":
                sys.exit(facts["text"])
            if name == wanted and accept(facts):
                return facts


class Market(mdapi.CThostFtdcMdSpi):
    def __init__(self, events):
        super().__init__()
        self.events = events

    def OnFrontConnected(self):
        self.events.put("md connected", None)

    def OnRspUserLogin(self, login, info, request, last):
        self.events.put("md login", info, day=login.TradingDay)

    def OnRspSubMarketData(self, contract, info, request, last):
        self.events.put("subscribed", info, contract=contract.InstrumentID)

    def OnRspUnSubMarketData(self, contract, info, request, last):
        self.events.put("unsubscribed", info, contract=contract.InstrumentID)

    def OnRtnDepthMarketData(self, tick):
        self.events.put(
            "tick",
            None,
            contract=tick.InstrumentID,
            time=f"{tick.UpdateTime}.{tick.UpdateMillisec:03}",
            bid=tick.BidPrice1,
            ask=tick.AskPrice1,
            upper=tick.UpperLimitPrice,
            lower=tick.LowerLimitPrice,
        )


class Trader(tdapi.CThostFtdcTraderSpi):
    def __init__(self, events):
        super().__init__()
        self.events = events
        self.phases = {}

    def OnFrontConnected(self):
        self.events.put("td connected", None)

    def OnRspAuthenticate(self, answer, info, request, last):
        self.events.put("authenticated", info)

    def OnRspUserLogin(self, login, info, request, last):
        self.events.put(
            "td login",
            info,
            day=login.TradingDay,
            front=login.FrontID,
            session=login.SessionID,
            max_ref=int(login.MaxOrderRef or 0),
        )

    def OnRspUserLogout(self, answer, info, request, last):
        self.events.put("logged out", info, user=answer.UserID)

    def OnFrontDisconnected(self, reason):
        self.events.put("td lost", None)

    def OnRspQryOptionInstrTradeCost(self, cost, info, request, last):
        self.events.put("option cost", info, found=cost is not None)

    def OnRspSettlementInfoConfirm(self, answer, info, request, last):
        self.events.put("confirmed", info)

    def OnRspQryInstrument(self, contract, info, request, last):
        if contract is None:
            self.events.put("contract", info, id="", exchange="", tick=0.0)
            return
        self.events.put("contract", info, id=contract.InstrumentID, exchange=contract.ExchangeID, tick=contract.PriceTick)

    def OnRspQryTradingAccount(self, account, info, request, last):
        self.events.put("account", info, available=account.Available, margin=account.CurrMargin)

    def OnRspOrderInsert(self, order, info, request, last):
        self.events.put("refused", info)

    def OnRspOrderAction(self, order, info, request, last):
        self.events.put("cancel refused", info)

    def OnErrRtnOrderInsert(self, order, info):
        self.events.put("refused", info)

    def OnRtnInstrumentStatus(self, status):
        self.phases[status.InstrumentID] = status.InstrumentStatus

    def OnRtnOrder(self, order):
        self.events.put(
            "order",
            None,
            ref=int(order.OrderRef),
            status=order.OrderStatus,
            traded=order.VolumeTraded,
            sys_id=order.OrderSysID,
            front=order.FrontID,
            session=order.SessionID,
        )

    def OnRtnTrade(self, trade):
        self.events.put("trade", None, ref=int(trade.OrderRef), price=trade.Price, volume=trade.Volume)


def log_in(address, events, flow):
    """Both libraries, each up to its login."""
    front = f"tcp://{address}"
    print("libraries:", tdapi.CThostFtdcTraderApi.GetApiVersion(), "/", mdapi.CThostFtdcMdApi.GetApiVersion())

    td, td_spi = tdapi.CThostFtdcTraderApi.CreateFtdcTraderApi(flow + "/td"), Trader(events)
    td.RegisterSpi(td_spi)
    td.SubscribePrivateTopic(tdapi.THOST_TERT_RESTART)
    td.SubscribePublicTopic(tdapi.THOST_TERT_RESTART)
    td.RegisterFront(front)
    td.Init()
    events.wait("td connected")
    field = tdapi.CThostFtdcReqAuthenticateField()
    field.BrokerID, field.UserID, field.AppID, field.AuthCode = BROKER, USER, APP_ID, AUTH_CODE
    td.ReqAuthenticate(field, 1)
    events.wait("authenticated")
    field = tdapi.CThostFtdcReqUserLoginField()
    field.BrokerID, field.UserID, field.Password = BROKER, USER, PASSWORD
    td.ReqUserLogin(field, 2)
    login = events.wait("td login")
    print(f"trading day {login['day']}, front {login['front']}, session {login['session']}")
    field = tdapi.CThostFtdcSettlementInfoConfirmField()
    field.BrokerID, field.InvestorID = BROKER, USER
    td.ReqSettlementInfoConfirm(field, 3)
    events.wait("confirmed")

    md, md_spi = mdapi.CThostFtdcMdApi.CreateFtdcMdApi(flow + "/md"), Market(events)
    md.RegisterSpi(md_spi)
    md.RegisterFront(front)
    md.Init()
    events.wait("md connected")
    field = mdapi.CThostFtdcReqUserLoginField()
    field.BrokerID, field.UserID, field.Password = BROKER, USER, PASSWORD
    md.ReqUserLogin(field, 1)
    events.wait("md login")
    return (td, td_spi), (md, md_spi), login


def order(contract, exchange, price, ref):
    """A limit order to buy and open one lot, good for the day."""
    field = tdapi.CThostFtdcInputOrderField()
    field.BrokerID = BROKER
    field.InvestorID = field.UserID = USER
    field.InstrumentID, field.ExchangeID, field.OrderRef = contract, exchange, str(ref)
    field.OrderPriceType = tdapi.THOST_FTDC_OPT_LimitPrice
    field.Direction = tdapi.THOST_FTDC_D_Buy
    field.CombOffsetFlag, field.CombHedgeFlag = tdapi.THOST_FTDC_OF_Open, tdapi.THOST_FTDC_HF_Speculation
    field.LimitPrice, field.VolumeTotalOriginal = price, 1
    field.TimeCondition = tdapi.THOST_FTDC_TC_GFD
    field.VolumeCondition = tdapi.THOST_FTDC_VC_AV
    field.ContingentCondition = tdapi.THOST_FTDC_CC_Immediately
    field.ForceCloseReason = tdapi.THOST_FTDC_FCC_NotForceClose
    field.MinVolume = 1
    return field


def trade(td, td_spi, md, events, login, contract):
    """One lot bought at any price, one order that rests and is cancelled."""
    query = tdapi.CThostFtdcQryInstrumentField()
    query.InstrumentID = contract
    assert td.ReqQryInstrument(query, 4) == 0
    known = events.wait("contract")
    if not known["id"]:
        sys.exit(f"{contract}: no such contract")
    print(f"{known['id']} on {known['exchange']}, price step {known['tick']}")

    assert md.SubscribeMarketData([contract.encode()], 1) == 0
    print("subscribed", events.wait("subscribed")["contract"])

    def trades_now(tick):
        is_continuous = td_spi.phases.get(contract) == tdapi.THOST_FTDC_IS_Continous
        return is_continuous and tick["contract"] == contract and max(tick["bid"], tick["ask"]) < 1e300

    tick = events.wait("tick", trades_now)
    print(f"tick {tick['time']}: {tick['bid']} / {tick['ask']}")

    ref = login["max_ref"] + 1
    assert td.ReqOrderInsert(order(contract, known["exchange"], tick["upper"], ref), 5) == 0
    filled = events.wait("trade", lambda facts: facts["ref"] == ref)
    print(f"filled: {filled['volume']} at {filled['price']}")

    ref += 1
    assert td.ReqOrderInsert(order(contract, known["exchange"], tick["lower"], ref), 6) == 0
    resting = events.wait("order", lambda facts: facts["ref"] == ref and facts["status"] == "3")
    action = tdapi.CThostFtdcInputOrderActionField()
    action.BrokerID = BROKER
    action.InvestorID = action.UserID = USER
    action.InstrumentID, action.ExchangeID = contract, known["exchange"]
    action.OrderRef, action.FrontID, action.SessionID = str(ref), resting["front"], resting["session"]
    action.ActionFlag = tdapi.THOST_FTDC_AF_Delete
    assert td.ReqOrderAction(action, 7) == 0
    events.wait("order", lambda facts: facts["ref"] == ref and facts["status"] == "5")
    print("cancelled")

    query = tdapi.CThostFtdcQryTradingAccountField()
    query.BrokerID, query.InvestorID = BROKER, USER
    assert td.ReqQryTradingAccount(query, 8) == 0
    account = events.wait("account")
    print(f"margin {account['margin']:.2f}, available {account['available']:.2f}")
    assert account["margin"] > 0

    query = tdapi.CThostFtdcQryOptionInstrTradeCostField()
    query.BrokerID, query.InvestorID, query.InstrumentID = BROKER, USER, contract
    assert td.ReqQryOptionInstrTradeCost(query, 9) == 0
    assert not events.wait("option cost")["found"], "a future has margin rates instead"


def log_out(td, md, events, contract):
    """The answers, then the end of the trading connection."""
    assert md.UnSubscribeMarketData([contract.encode()], 1) == 0
    assert events.wait("unsubscribed")["contract"] == contract
    field = tdapi.CThostFtdcUserLogoutField()
    field.BrokerID, field.UserID = BROKER, USER
    assert td.ReqUserLogout(field, 10) == 0
    assert events.wait("logged out")["user"] == USER
    events.wait("td lost")
    print("logged out")


def main(address, contract):
    events = Events()
    with tempfile.TemporaryDirectory() as flow:
        (td, td_spi), (md, md_spi), login = log_in(address, events, flow)
        try:
            trade(td, td_spi, md, events, login, contract)
            log_out(td, md, events, contract)
        finally:
            for api in (td, md):
                api.RegisterSpi(None)
                api.Release()
    print("done")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
